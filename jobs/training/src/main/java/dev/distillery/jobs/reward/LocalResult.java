package dev.distillery.jobs.reward;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.LocalFileSystem;

/** The result on this machine's disk, wherever the output folder lies. */
final class LocalResult {
  private LocalResult() {}

  /** The folder itself, or a copy of its files. */
  static Path of(String output, Configuration hadoop) throws IOException {
    var folder = new org.apache.hadoop.fs.Path(output);
    FileSystem files = folder.getFileSystem(hadoop);
    if (files instanceof LocalFileSystem) {
      return Path.of(files.makeQualified(folder).toUri().getPath());
    }
    Path copy = Files.createTempDirectory("distillery-reward-");
    for (FileStatus file : files.listStatus(folder)) {
      if (file.isFile()) {
        Path target = copy.resolve(file.getPath().getName());
        files.copyToLocalFile(file.getPath(), new org.apache.hadoop.fs.Path(target.toUri()));
        target.toFile().deleteOnExit();
      }
    }
    copy.toFile().deleteOnExit();
    return copy;
  }
}
