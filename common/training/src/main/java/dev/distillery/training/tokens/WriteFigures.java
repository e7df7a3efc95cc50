package dev.distillery.training.tokens;

import java.io.IOException;
import java.io.Serializable;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import org.apache.hadoop.fs.Path;
import org.apache.spark.TaskContext;
import org.apache.spark.api.java.function.Function2;
import org.apache.spark.util.LongAccumulator;
import org.apache.spark.util.SerializableConfiguration;

/** Writes neighbouring rows of a token table with other figures, as one part of another table. */
final class WriteFigures
    implements Function2<Integer, Iterator<WriteFigures.Range>, Iterator<TokenPart>> {
  private static final long serialVersionUID = 1L;

  private final TokenTable rows;
  private final RowFigures figures;
  private final String folder;
  private final SerializableConfiguration hadoop;
  private final LongAccumulator done;

  /**
   * Rows by position.
   *
   * @param from first of them
   * @param to behind the last
   */
  record Range(long from, long to) implements Serializable {}

  /**
   * @param folder of the parts
   * @param done counts rows
   */
  WriteFigures(
      TokenTable rows,
      RowFigures figures,
      String folder,
      SerializableConfiguration hadoop,
      LongAccumulator done) {
    this.rows = rows;
    this.figures = figures;
    this.folder = folder;
    this.hadoop = hadoop;
    this.done = done;
  }

  @Override
  public Iterator<TokenPart> call(Integer partition, Iterator<Range> ranges) throws IOException {
    if (!ranges.hasNext()) {
      return Collections.emptyIterator();
    }
    // Each try of a task has a file of its own, so that two at once do no harm.
    long attempt = TaskContext.get().taskAttemptId();
    Path file =
        new Path(folder, String.format(Locale.ROOT, "part-%05d-%d.tokens", partition, attempt));
    try (TokenTable table = rows;
        RowFigures.Work work = figures.open();
        TokenPartWriter writer = TokenPartWriter.create(file.getFileSystem(hadoop.value()), file)) {
      while (ranges.hasNext()) {
        Range range = ranges.next();
        for (long i = range.from(); i < range.to(); i++) {
          TokenSequence row = table.row(i);
          writer.add(row.with(work.figures(row)));
          done.add(1);
        }
      }
      return List.of(writer.finish()).iterator();
    }
  }
}
