package dev.distillery.training.tokens;

import java.io.IOException;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import org.apache.hadoop.fs.Path;
import org.apache.spark.TaskContext;
import org.apache.spark.api.java.function.Function2;
import org.apache.spark.util.SerializableConfiguration;

/** Writes a partition as one part of a token table; none where it has no rows. */
final class WriteParts
    implements Function2<Integer, Iterator<PackRows.Window>, Iterator<TokenPart>> {
  private static final long serialVersionUID = 1L;

  private final String folder;
  private final SerializableConfiguration hadoop;

  /**
   * @param folder of the parts; empty to count only
   */
  WriteParts(String folder, SerializableConfiguration hadoop) {
    this.folder = folder;
    this.hadoop = hadoop;
  }

  @Override
  public Iterator<TokenPart> call(Integer partition, Iterator<PackRows.Window> windows)
      throws IOException {
    if (!windows.hasNext()) {
      return Collections.emptyIterator();
    }
    try (TokenPartWriter writer = writer(partition)) {
      while (windows.hasNext()) {
        writer.add(windows.next());
      }
      return List.of(writer.finish()).iterator();
    }
  }

  /** Each try of a task has a file of its own, so that two at once do no harm. */
  private TokenPartWriter writer(int partition) throws IOException {
    if (folder.isEmpty()) {
      return TokenPartWriter.counting();
    }
    long attempt = TaskContext.get().taskAttemptId();
    Path file =
        new Path(folder, String.format(Locale.ROOT, "part-%05d-%d.tokens", partition, attempt));
    return TokenPartWriter.create(file.getFileSystem(hadoop.value()), file);
  }
}
