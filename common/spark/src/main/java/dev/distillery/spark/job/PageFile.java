package dev.distillery.spark.job;

import dev.distillery.core.page.Page;
import dev.distillery.core.run.JobException;
import dev.distillery.spark.warehouse.SmallFiles;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.LocalFileSystem;
import org.apache.hadoop.fs.Path;

/**
 * The file of a run's page, as {@code --output} names it. It takes the place of nothing but a page:
 * one that an earlier try of the run wrote, or with {@code --overwrite} any.
 */
public final class PageFile {
  private final Path path;
  private final FileSystem files;
  private final String title;

  /**
   * Looks whether the page may be written.
   *
   * @param title of the page; holds the run's id, so that pages of other runs have others
   * @throws JobException where it may not
   */
  public PageFile(String file, JobRun run, String title) throws IOException {
    this.path = new Path(file);
    FileSystem found = path.getFileSystem(run.warehouse().hadoop());
    // Hadoop's checksum beside a local page would outlive whoever edits it.
    this.files = found instanceof LocalFileSystem local ? local.getRawFileSystem() : found;
    this.title = title;
    if (!files.exists(path)) {
      checkFolder();
      return;
    }
    if (files.getFileStatus(path).isDirectory()) {
      throw JobException.invalid("Option --output: " + path + " is a folder; name a file");
    }
    String begins = new Page(title).opening();
    String head = head(begins.getBytes(StandardCharsets.UTF_8).length);
    // As a kill may leave it.
    boolean own = begins.startsWith(head);
    if (!own && !head.startsWith(Page.BEGINNING)) {
      throw JobException.invalid(
          "Option --output: " + path + " is there already and is no page of ours; choose another");
    }
    if (!own && !run.overwrites()) {
      throw JobException.invalid(
          "Option --output: "
              + path
              + " is there already; choose another, or give --overwrite to replace it");
    }
  }

  private void checkFolder() throws IOException {
    Path folder = path.getParent();
    while (folder != null && !files.exists(folder)) {
      folder = folder.getParent();
    }
    if (folder != null && !files.getFileStatus(folder).isDirectory()) {
      throw JobException.invalid(
          "Option --output: " + path + " cannot be: " + folder + " is a file");
    }
  }

  private String head(int bytes) throws IOException {
    byte[] head = new byte[bytes];
    try (var in = files.open(path)) {
      return new String(head, 0, in.readNBytes(head, 0, bytes), StandardCharsets.UTF_8);
    }
  }

  /** An empty page of that title. */
  public Page page() {
    return new Page(title);
  }

  /** Writes the page, and says where. */
  public void write(Page page, JobRun run) {
    SmallFiles.write(path, page.html(), run.warehouse().hadoop());
    run.progress().say("The page: " + path);
  }
}
