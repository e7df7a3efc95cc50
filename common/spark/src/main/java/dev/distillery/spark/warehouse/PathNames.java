package dev.distillery.spark.warehouse;

import dev.distillery.core.run.Names;
import java.io.File;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.GlobExpander;
import org.apache.hadoop.fs.GlobPattern;
import org.apache.hadoop.fs.LocalFileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.RawLocalFileSystem;
import org.apache.spark.sql.DataFrameReader;
import org.apache.spark.sql.SparkSession;

/** Paths as people write them: a URI of Hadoop, a local name, or a pattern. */
public final class PathNames {
  /** Files that a message names. */
  private static final int NAMED = 5;

  private PathNames() {}

  /**
   * What a text names.
   *
   * @param roots the file, the folder, or what the pattern finds
   * @param files those, and the files in folders and below, by path
   * @param hidden files below folders that are passed over
   */
  public record Found(List<FileStatus> roots, List<FileStatus> files, List<String> hidden) {
    public Found {
      roots = List.copyOf(roots);
      files = List.copyOf(files);
      hidden = List.copyOf(hidden);
    }

    /** Says which files are passed over, where there are any but a writer's own marks. */
    public Optional<String> passedOver(String text) {
      return passedOver(text, hidden);
    }

    static Optional<String> passedOver(String text, List<String> hidden) {
      List<String> named =
          hidden.stream()
              .filter(name -> !name.endsWith("/_SUCCESS") && !name.endsWith(".crc"))
              .toList();
      return named.isEmpty()
          ? Optional.empty()
          : Optional.of(
              text
                  + ": files whose names begin with _ or . are not read: "
                  + Names.first(NAMED, named));
    }
  }

  /** The path of a text. A local name may hold a colon, which Hadoop takes for a scheme's end. */
  public static Path path(String text) {
    try {
      return new Path(text);
    } catch (IllegalArgumentException e) {
      return new Path(new File(text).toURI());
    }
  }

  /**
   * The file system that inputs are read by. Local files are read as they are: Hadoop's own takes
   * no name with a colon, and believes a checksum file that somebody left beside.
   */
  public static FileSystem fileSystem(Path path, Configuration hadoop) throws IOException {
    FileSystem files = path.getFileSystem(hadoop);
    return files instanceof LocalFileSystem local ? local.getRawFileSystem() : files;
  }

  /** Spark's reader of files that are called so, whatever signs of a pattern their names have. */
  public static DataFrameReader reader(SparkSession spark, Collection<String> paths) {
    DataFrameReader reader = spark.read().option("__globPaths__", "false");
    boolean colons =
        paths.stream().anyMatch(path -> new Path(path).toUri().getPath().contains(":"));
    return colons
        ? reader
            .option("fs.file.impl", RawLocalFileSystem.class.getName())
            .option("fs.file.impl.disable.cache", "true")
        : reader;
  }

  /**
   * Finds what a text names: the file or folder that is called so, whatever signs of a pattern its
   * name has, else what the pattern finds; nothing where there is none. A folder stands for all
   * files in it and below, but for hidden ones: a tool's own, which begin with a dot, or an
   * underscore (unless they name a partition), or are being copied.
   */
  public static Found find(String text, Configuration hadoop) throws IOException {
    List<FileStatus> roots = matches(text, hadoop);
    var files = new ArrayList<FileStatus>();
    var hidden = new ArrayList<String>();
    for (FileStatus root : roots) {
      if (root.isFile()) {
        files.add(root);
        continue;
      }
      try {
        var below = fileSystem(root.getPath(), hadoop).listFiles(root.getPath(), true);
        while (below.hasNext()) {
          FileStatus file = below.next();
          if (isHidden(file.getPath(), root.getPath())) {
            hidden.add(file.getPath().toString());
          } else {
            files.add(file);
          }
        }
      } catch (FileNotFoundException gone) {
        // Between two calls: as if the folder had not been there.
      }
    }
    files.sort(Comparator.comparing(file -> file.getPath().toString()));
    return new Found(roots, files.stream().distinct().toList(), hidden);
  }

  private static boolean isHidden(Path file, Path root) {
    for (Path at = file; at != null && !at.equals(root); at = at.getParent()) {
      if (isHidden(at.getName())) {
        return true;
      }
    }
    return false;
  }

  /** Whether Spark passes over a file or folder of that name. */
  static boolean isHidden(String name) {
    return (name.startsWith("_") && !name.contains("="))
        || name.startsWith(".")
        || name.endsWith("._COPYING_");
  }

  private static List<FileStatus> matches(String text, Configuration hadoop) throws IOException {
    Path path = path(text);
    FileSystem files = fileSystem(path, hadoop);
    try {
      return List.of(files.getFileStatus(path));
    } catch (FileNotFoundException e) {
      try {
        FileStatus[] matches = files.globStatus(path);
        return matches == null ? List.of() : List.of(matches);
      } catch (IllegalArgumentException colon) {
        return matchesWithColons(path, files);
      }
    }
  }

  /** As Hadoop's own, which cannot pass by a name with a colon. */
  private static List<FileStatus> matchesWithColons(Path pattern, FileSystem files)
      throws IOException {
    var matches = new ArrayList<FileStatus>();
    for (String alternative : GlobExpander.expand(files.makeQualified(pattern).toUri().getPath())) {
      List<FileStatus> level = List.of(files.getFileStatus(new Path("/")));
      for (String part : alternative.substring(1).split("/")) {
        var name = new GlobPattern(part);
        var next = new ArrayList<FileStatus>();
        for (FileStatus folder : level) {
          if (!name.hasWildcard()) {
            Path child = new Path(folder.getPath(), new Path(null, null, part));
            if (files.exists(child)) {
              next.add(files.getFileStatus(child));
            }
          } else if (folder.isDirectory()) {
            for (FileStatus child : files.listStatus(folder.getPath())) {
              if (name.matches(child.getPath().getName())) {
                next.add(child);
              }
            }
          }
        }
        level = next;
      }
      matches.addAll(level);
    }
    return matches.stream().distinct().toList();
  }
}
