package dev.distillery.spark.warehouse;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.distillery.core.run.ExitCode;
import dev.distillery.core.run.JobException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Instant;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import org.apache.hadoop.fs.EtagSource;
import org.apache.hadoop.fs.FileStatus;

/**
 * What a reference stands for in one run, from its opening on: the run that wrote the table, or the
 * files with their lengths and times. As JSON, in the run's record, it is small however many files
 * there are: {@code ref}, {@code asked} (as the user wrote it), and
 *
 * <ul>
 *   <li>of a table {@code job} and {@code finished_at} of its run, and {@code status} where that is
 *       not done;
 *   <li>of files their number ({@code files}), {@code bytes}, a {@code hash} of paths, lengths and
 *       ETags (where the store has them, else times of change), and {@code first_files}.
 * </ul>
 *
 * @param asked as the user wrote it
 * @param ref of a table, with its run id
 * @param run that wrote the table; empty for files
 * @param found the files; nothing of a table
 */
public record PinnedInput(
    String asked, TableRef ref, Optional<RunRecord> run, PathNames.Found found) {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final PathNames.Found NOTHING =
      new PathNames.Found(List.of(), List.of(), List.of());

  /** Files that a record lists by name; more are counted and hashed. */
  private static final int LISTED_FILES = 20;

  /**
   * Looks at what a reference names now.
   *
   * @throws JobException where it is not there; with {@link ExitCode#TEMPORARY} where that cannot
   *     be seen
   */
  public static PinnedInput find(TableRef ref, Warehouse warehouse) {
    if (ref instanceof TableRef.Named named) {
      RunRecord record = new RunRecords(warehouse).of(named);
      var pinned = new TableRef.Named(named.table(), Optional.of(record.runId()));
      return new PinnedInput(named.text(), pinned, Optional.of(record), NOTHING);
    }
    String path = ((TableRef.Files) ref).path();
    try {
      PathNames.Found found = PathNames.find(path, warehouse.hadoop());
      if (found.roots().isEmpty()) {
        throw JobException.invalid("No file at " + path + ": check the path or the pattern");
      }
      return new PinnedInput(path, ref, Optional.empty(), found);
    } catch (IOException e) {
      throw new JobException(
          ExitCode.TEMPORARY,
          "Cannot list " + path + ": " + e.getMessage() + "; try again when it is back",
          e);
    }
  }

  /** What a person should hear of it: the run that wrote the table is not done. */
  public Optional<String> warning() {
    return run.flatMap(RunRecord::warning);
  }

  /** The same under the name that a user gave it. */
  public PinnedInput asked(TableRef name) {
    return new PinnedInput(name.text(), ref, run, found);
  }

  /** For the run's record. */
  public ObjectNode toJson() {
    ObjectNode json = JSON.createObjectNode().put("ref", ref.text()).put("asked", asked);
    if (run.isPresent()) {
      json.put("job", run.get().job()).put("finished_at", run.get().finishedAt());
      return run.get().done() ? json : json.put("status", run.get().status());
    }
    List<FileStatus> files = found.files();
    json.put("files", files.size())
        .put("bytes", files.stream().mapToLong(FileStatus::getLen).sum())
        .put("hash", hash(files));
    ArrayNode first = json.putArray("first_files");
    files.stream().limit(LISTED_FILES).forEach(file -> describe(file, first.addObject()));
    return json;
  }

  private static void describe(FileStatus file, ObjectNode json) {
    json.put("path", file.getPath().toString()).put("length", file.getLen());
    Optional<String> etag = etag(file);
    if (etag.isPresent()) {
      json.put("etag", etag.get());
    } else {
      json.put("modified", file.getModificationTime());
    }
  }

  private static Optional<String> etag(FileStatus file) {
    return file instanceof EtagSource tagged
        ? Optional.ofNullable(tagged.getEtag()).filter(tag -> !tag.isEmpty())
        : Optional.empty();
  }

  private static String hash(List<FileStatus> files) {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      ObjectNode json = JSON.createObjectNode();
      for (FileStatus file : files) {
        json.removeAll();
        describe(file, json);
        digest.update((json + "\n").getBytes(StandardCharsets.UTF_8));
      }
      return HexFormat.of().formatHex(digest.digest(), 0, 16);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  /**
   * How what an earlier run read differs from what is there now, in words; empty where it is the
   * same, or the record is too old to tell.
   *
   * @param recorded as {@link #toJson} gave it
   */
  public static Optional<String> difference(JsonNode recorded, Warehouse warehouse) {
    if (!recorded.hasNonNull("asked")) {
      return Optional.empty();
    }
    String ref = recorded.path("ref").asText();
    ObjectNode now;
    try {
      // A path stays one, whatever a table's name would look like.
      TableRef parsed = recorded.has("files") ? new TableRef.Files(ref) : TableRef.parse(ref);
      now = find(parsed, warehouse).toJson();
    } catch (JobException e) {
      if (e.exitCode() == ExitCode.TEMPORARY) {
        throw e;
      }
      return Optional.of(ref + " is no longer there");
    }
    if (recorded.has("finished_at")) {
      return differs(recorded, now, "finished_at")
          ? Optional.of(
              "%s was finished at %s, and again at %s"
                  .formatted(
                      ref, recorded.path("finished_at").asText(), now.path("finished_at").asText()))
          : Optional.empty();
    }
    if (!differs(recorded, now, "hash")) {
      return Optional.empty();
    }
    String sums =
        differs(recorded, now, "files") || differs(recorded, now, "bytes")
            ? "%s had %s files of %s bytes, and has %s of %s"
                .formatted(
                    ref,
                    recorded.path("files"),
                    recorded.path("bytes"),
                    now.path("files"),
                    now.path("bytes"))
            : ref + " has as many files and bytes as before";
    return Optional.of(sums + firstChange(recorded.path("first_files"), now.path("first_files")));
  }

  private static boolean differs(JsonNode then, JsonNode now, String member) {
    return !then.path(member).asText().equals(now.path(member).asText());
  }

  private static String firstChange(JsonNode then, JsonNode now) {
    for (int i = 0; i < Math.max(then.size(), now.size()); i++) {
      JsonNode before = then.path(i);
      JsonNode after = now.path(i);
      if (before.toString().equals(after.toString())) {
        continue;
      }
      if (!differs(before, after, "path")) {
        return "; %s was of %s, now %s"
            .formatted(after.path("path").asText(), state(before), state(after));
      }
      boolean gone =
          after.isMissingNode()
              || (!before.isMissingNode()
                  && before.path("path").asText().compareTo(after.path("path").asText()) < 0);
      return gone
          ? "; " + before.path("path").asText() + " is gone"
          : "; " + after.path("path").asText() + " is new";
    }
    return "; it is none of the first " + then.size() + " files";
  }

  private static String state(JsonNode file) {
    return file.path("length")
        + " bytes, "
        + (file.has("etag")
            ? "ETag " + file.path("etag").asText()
            : "changed at " + Instant.ofEpochMilli(file.path("modified").asLong()));
  }
}
