package dev.distillery.jobs.curate;

import dev.distillery.core.filter.RowFilters;
import dev.distillery.spark.warehouse.SmallFiles;
import java.util.List;
import org.apache.hadoop.conf.Configuration;

/** The small files that filters name: phrases, a line each, on any file system of Hadoop. */
record FilterFiles(Configuration hadoop) implements RowFilters.Files {
  @Override
  public List<String> apply(String file) {
    return SmallFiles.read("--filter", file, hadoop).lines().toList();
  }
}
