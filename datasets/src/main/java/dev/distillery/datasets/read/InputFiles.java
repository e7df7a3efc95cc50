package dev.distillery.datasets.read;

import dev.distillery.spark.warehouse.PathNames;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.Path;

/**
 * Finds the files that paths and globs name, and looks at the beginning of each: what it is
 * compressed with, how its rows lie, and whether it is what somebody meant to read at all.
 *
 * @param files the readable files, sorted by path
 * @param empty paths of files without content
 * @param refusals one sentence for each file or path that cannot be read: path, what it is, what to
 *     do
 */
public record InputFiles(List<InputFile> files, List<String> empty, List<String> refusals) {
  /** What the caller knows to lie in the files. */
  public enum Expected {
    /** JSON, in any layout. */
    JSON,
    /** An XML dump, or JSON in any layout. */
    XML_OR_JSON,
    /** Lines of text. */
    TEXT_LINES,
    /** One text a file. */
    WHOLE_FILE
  }

  /** Two rows with a carriage return between them, and no line feed. */
  private static final Pattern ROWS_BY_RETURN = Pattern.compile("\\}[ \\t]*+\\r[ \\t]*+\\{");

  private static final Pattern SPLIT_NAMED_ARRAY =
      Pattern.compile(
          "\\A\\s*\\{\\s*\"(?:train|eval|test|validation|valid|dev|data)\"\\s*:\\s*\\[");

  private static final String UTF8_BOM = "\u00EF\u00BB\u00BF";

  public InputFiles {
    files = List.copyOf(files);
    empty = List.copyOf(empty);
    refusals = List.copyOf(refusals);
  }

  /** Looks at every file that {@code paths} name, as {@link PathNames#find} has it. */
  public static InputFiles find(List<String> paths, Expected expected, Configuration hadoop)
      throws IOException {
    Map<String, List<FileStatus>> found = new LinkedHashMap<>();
    for (String path : paths) {
      found.put(path, PathNames.find(path, hadoop).files());
    }
    return of(found, expected, hadoop);
  }

  /**
   * Looks at files.
   *
   * @param found by the paths that name them
   */
  public static InputFiles of(
      Map<String, List<FileStatus>> found, Expected expected, Configuration hadoop)
      throws IOException {
    List<String> refusals = new ArrayList<>();
    found.forEach(
        (path, files) -> {
          if (files.isEmpty()) {
            refusals.add(path + ": No file is there; check the path, or the pattern");
          }
        });
    List<FileStatus> sorted =
        found.values().stream()
            .flatMap(List::stream)
            .sorted(Comparator.comparing(status -> status.getPath().toString()))
            .distinct()
            .toList();
    List<InputFile> files = new ArrayList<>();
    List<String> empty = new ArrayList<>();
    for (FileStatus status : sorted) {
      if (status.getLen() == 0) {
        empty.add(status.getPath().toString());
        continue;
      }
      Sniffed sniffed = sniff(status, expected, hadoop);
      sniffed.file(status, files.size()).ifPresent(files::add);
      sniffed.refusal().ifPresent(reason -> refusals.add(status.getPath() + ": " + reason));
    }
    return new InputFiles(files, empty, refusals);
  }

  /** What the beginning of a file tells. */
  private record Sniffed(
      Optional<String> refusal, Compression compression, Layout layout, int contentStart) {
    static Sniffed refused(String reason) {
      return new Sniffed(Optional.of(reason), Compression.NONE, Layout.WHOLE_FILE, 0);
    }

    Optional<InputFile> file(FileStatus status, int ordinal) {
      return refusal.isPresent()
          ? Optional.empty()
          : Optional.of(
              new InputFile(
                  status.getPath().toString(),
                  ordinal,
                  status.getLen(),
                  status.getModificationTime(),
                  compression,
                  layout,
                  contentStart));
    }
  }

  private static Sniffed sniff(FileStatus status, Expected expected, Configuration hadoop)
      throws IOException {
    Compression compression = compression(status, hadoop);
    if (compression == Compression.PARQUET) {
      return parquet(status, expected, hadoop);
    }
    InputFile guess =
        new InputFile(
            status.getPath().toString(), 0, status.getLen(), 0, compression, Layout.WHOLE_FILE, 0);
    try (ByteSource source =
        ByteSources.open(FileSplit.whole(guess), hadoop, ReadLimits.DEFAULT.maxExpansion())) {
      if (!source.next()) {
        String damage = source.damage();
        return Sniffed.refused((damage == null ? "It holds nothing" : damage) + "; fetch it again");
      }
      // One byte, one character: only ASCII is looked for.
      String head = new String(source.buffer(), 0, source.length(), StandardCharsets.ISO_8859_1);
      Optional<String> refusal = refusal(head);
      if (refusal.isPresent()) {
        return Sniffed.refused(refusal.get());
      }
      int mark = head.startsWith(UTF8_BOM) ? UTF8_BOM.length() : 0;
      return layout(head.substring(mark), expected)
          .map(
              layout ->
                  layout == Layout.JSON_LINES && ROWS_BY_RETURN.matcher(head).find()
                      ? Sniffed.refused(
                          "Its lines end in carriage returns alone: convert it, for example with"
                              + " tr '\\r' '\\n'")
                      : new Sniffed(
                          Optional.empty(),
                          compression,
                          layout,
                          layout == Layout.XML_ROWS ? prologue(head, mark) : mark))
          .orElseGet(() -> Sniffed.refused(unexpected(head, expected)));
    }
  }

  /** Parquet holds rows of any source whose rows are objects. */
  private static Sniffed parquet(FileStatus status, Expected expected, Configuration hadoop)
      throws IOException {
    if (expected == Expected.TEXT_LINES || expected == Expected.WHOLE_FILE) {
      return Sniffed.refused("It is Parquet, where text is wanted; --source documents reads it");
    }
    byte[] tail = new byte[4];
    try (var in = PathNames.fileSystem(status.getPath(), hadoop).open(status.getPath())) {
      in.seek(Math.max(0, status.getLen() - tail.length));
      int read = in.readNBytes(tail, 0, tail.length);
      return Compression.of(tail, read) == Compression.PARQUET
          ? new Sniffed(Optional.empty(), Compression.PARQUET, Layout.JSON_LINES, 0)
          : Sniffed.refused("The Parquet file is truncated; fetch it again");
    }
  }

  private static Compression compression(FileStatus status, Configuration hadoop)
      throws IOException {
    byte[] magic = new byte[5];
    Path path = status.getPath();
    try (var in = PathNames.fileSystem(path, hadoop).open(path)) {
      int length = in.readNBytes(magic, 0, magic.length);
      return Compression.of(magic, length);
    }
  }

  private static Optional<String> refusal(String head) {
    String start = head.substring(0, Math.min(head.length(), 1024));
    if (start.startsWith("version https://git-lfs.github.com/spec/")) {
      return Optional.of(
          "It is a Git LFS pointer and not the file: run 'git lfs pull' and try again");
    }
    String lower = start.stripLeading().toLowerCase(Locale.ROOT);
    if (lower.startsWith("<!doctype html") || lower.startsWith("<html")) {
      return Optional.of("It is an HTML page, perhaps of an error: download the file again");
    }
    if (lower.startsWith("<?xml") && lower.contains("<error>")) {
      return Optional.of("It is an error message of an object store: download the file again");
    }
    if (start.startsWith("PK\u0003\u0004") || start.startsWith("7z\u00BC\u00AF")) {
      return Optional.of("It is a zip or 7z archive: unpack it and name the files in it");
    }
    if (start.startsWith("\u00FF\u00FE")
        || start.startsWith("\u00FE\u00FF")
        || start.startsWith("\0")
        || (start.length() > 1 && start.charAt(1) == 0)) {
      return Optional.of(
          "It is UTF-16 or binary and not UTF-8: convert it, for example with"
              + " 'iconv -f UTF-16 -t UTF-8'");
    }
    return Optional.empty();
  }

  private static Optional<Layout> layout(String head, Expected expected) {
    return switch (expected) {
      case TEXT_LINES -> Optional.of(Layout.TEXT_LINES);
      case WHOLE_FILE -> Optional.of(Layout.WHOLE_FILE);
      case JSON -> jsonLayout(head);
      case XML_OR_JSON -> head.stripLeading().startsWith("<") ? xmlLayout(head) : jsonLayout(head);
    };
  }

  /** Where an XML file goes on after its declaration and the comments ahead of all else. */
  private static int prologue(String head, int start) {
    int at = start;
    while (true) {
      int next = at;
      while (next < head.length() && head.charAt(next) <= ' ') {
        next++;
      }
      String closing =
          head.startsWith("<!--", next) ? "-->" : head.startsWith("<?", next) ? "?>" : "";
      int end = closing.isEmpty() ? -1 : head.indexOf(closing, next + 2);
      if (end < 0) {
        return at;
      }
      at = end + closing.length();
    }
  }

  private static Optional<Layout> xmlLayout(String head) {
    boolean declaresEntities = head.contains("<!DOCTYPE") || head.contains("<!ENTITY");
    return declaresEntities ? Optional.empty() : Optional.of(Layout.XML_ROWS);
  }

  private static Optional<Layout> jsonLayout(String head) {
    String start = head.stripLeading();
    if (start.startsWith("[")) {
      return Optional.of(Layout.JSON_ARRAY);
    }
    if (!start.startsWith("{")) {
      return Optional.empty();
    }
    if (SPLIT_NAMED_ARRAY.matcher(start).find()) {
      return Optional.of(Layout.JSON_SPLITS);
    }
    int newline = start.indexOf('\n');
    byte[] firstLine =
        (newline < 0 ? start : start.substring(0, newline)).getBytes(StandardCharsets.ISO_8859_1);
    JsonState state = JsonScan.of(firstLine, firstLine.length).apply(JsonState.START);
    boolean goesOn = newline >= 0 && !state.inString() && state.depth() > 0;
    return Optional.of(goesOn ? Layout.JSON_VALUES : Layout.JSON_LINES);
  }

  private static String unexpected(String head, Expected expected) {
    String found = head.stripLeading();
    String begins = found.substring(0, Math.min(30, found.length())).replaceAll("\\s+", " ");
    String wanted =
        switch (expected) {
          case JSON -> "a JSON array or JSON Lines";
          case XML_OR_JSON -> "an XML dump without document type, a JSON array or JSON Lines";
          case TEXT_LINES, WHOLE_FILE -> "text";
        };
    return "It begins with '" + begins + "' where " + wanted + " was expected";
  }
}
