package dev.distillery.spark.job;

import dev.distillery.spark.warehouse.Warehouse;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Locale;
import java.util.NavigableSet;
import java.util.Optional;
import java.util.TreeSet;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.Path;

/**
 * The marks of a run's drivers: small texts with rising numbers. Each operation is one step at the
 * store, so that a test can put another driver's steps between any two of them.
 */
interface LeaseMarks {
  /** Numbers of the marks that are there. */
  NavigableSet<Long> numbers();

  Optional<String> read(long number);

  /** Creates a mark; false where there is one of this number. */
  boolean create(long number, String text);

  void replace(long number, String text);

  void delete(long number);

  /** Whether of several that create one number at the same time only one succeeds. */
  boolean exclusive();

  /** The marks in a warehouse: {@code _leases/<run>/<number>}. */
  static LeaseMarks in(Warehouse warehouse, String runId) {
    Path folder = warehouse.leases(runId);
    return new LeaseMarks() {
      @Override
      public NavigableSet<Long> numbers() {
        var numbers = new TreeSet<Long>();
        try {
          for (FileStatus status : warehouse.files().listStatus(folder)) {
            String name = status.getPath().getName();
            if (name.matches("\\d{1,18}")) {
              numbers.add(Long.parseLong(name));
            }
          }
        } catch (FileNotFoundException e) {
          return numbers;
        } catch (IOException e) {
          throw new UncheckedIOException(e);
        }
        return numbers;
      }

      @Override
      public Optional<String> read(long number) {
        return warehouse.readText(path(number));
      }

      @Override
      public boolean create(long number, String text) {
        return warehouse.createText(path(number), text);
      }

      @Override
      public void replace(long number, String text) {
        warehouse.writeText(path(number), text);
      }

      @Override
      public void delete(long number) {
        warehouse.delete(path(number));
      }

      @Override
      public boolean exclusive() {
        return warehouse.createsExclusively();
      }

      private Path path(long number) {
        return new Path(folder, String.format(Locale.ROOT, "%06d", number));
      }
    };
  }
}
