package dev.distillery.training.run;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.distillery.core.run.JobException;
import dev.distillery.model.nn.ParameterSpace;
import dev.distillery.model.nn.Slot;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import java.util.zip.CRC32C;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.Path;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Checkpoints of one run, in folders {@code checkpoint-<step>} of its output folder. The one class
 * that writes and reads them. A folder holds, format 1:
 *
 * <ul>
 *   <li>{@code <space>.f32} for each space of values (parameters, first_moments, second_moments,
 *       and with DiLoCo outer_momentum): float32, little-endian, in the order of addresses;
 *   <li>{@code manifest.json}, written last, without which the folder is no checkpoint: {@code
 *       format} 1; {@code run_id}; {@code identity}, the options and facts that a run may not
 *       change between tries; {@code state}, see {@link TrainingState}; {@code slots}, name, rows
 *       and columns of each tensor in the order of addresses; {@code files}, the bytes and CRC-32C
 *       of each file.
 * </ul>
 */
final class Checkpoints {
  private static final Logger LOG = LoggerFactory.getLogger(Checkpoints.class);
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String PREFIX = "checkpoint-";
  private static final String MANIFEST = "manifest.json";
  private static final int FORMAT = 1;
  private static final int CHUNK_VALUES = 1 << 20;

  private final OutputFolder folder;
  private final String runId;
  private final Map<String, String> identity;
  private final UnaryOperator<Map<String, String>> asNow;
  private boolean replaces;

  /**
   * The checkpoints of a run.
   *
   * @param identity options and facts, by name, that must be the same when the run is gone on with
   * @param asNow reads the identity of an earlier version as this version's
   */
  Checkpoints(
      OutputFolder folder,
      String runId,
      Map<String, String> identity,
      UnaryOperator<Map<String, String>> asNow) {
    this.folder = folder;
    this.runId = runId;
    this.identity = new TreeMap<>(identity);
    this.asNow = asNow;
  }

  /** As above, where every version writes the same identity. */
  Checkpoints(OutputFolder folder, String runId, Map<String, String> identity) {
    this(folder, runId, identity, UnaryOperator.identity());
  }

  /** The same, where this run's checkpoints of other options or facts go instead of ending it. */
  Checkpoints replacing() {
    var replacing = new Checkpoints(folder, runId, identity, asNow);
    replacing.replaces = true;
    return replacing;
  }

  /** Writes a checkpoint, in place of one of the same step. */
  void save(TrainingState state, Map<String, ParameterSpace> spaces) throws IOException {
    Path path = path(state.step());
    folder.files().delete(path, true);
    ObjectNode manifest = JSON.createObjectNode();
    manifest.put("format", FORMAT);
    manifest.put("run_id", runId);
    ObjectNode facts = manifest.putObject("identity");
    identity.forEach(facts::put);
    state.write(manifest.putObject("state"));
    ArrayNode slots = manifest.putArray("slots");
    for (Slot slot : spaces.values().iterator().next().slots()) {
      slots
          .addObject()
          .put("name", slot.name())
          .put("rows", slot.rows())
          .put("columns", slot.columns());
    }
    ObjectNode files = manifest.putObject("files");
    for (Map.Entry<String, ParameterSpace> space : spaces.entrySet()) {
      String name = space.getKey() + ".f32";
      var sum = new CRC32C();
      try (OutputStream out = folder.files().create(new Path(path, name), true)) {
        write(space.getValue(), out, sum);
      }
      files.putObject(name).put("bytes", 4 * space.getValue().size()).put("crc32c", sum.getValue());
    }
    folder.writeWhole(
        new Path(path, MANIFEST),
        JSON.writerWithDefaultPrettyPrinter().writeValueAsBytes(manifest));
  }

  private static void write(ParameterSpace space, OutputStream out, CRC32C sum) throws IOException {
    float[] values = new float[(int) Math.min(CHUNK_VALUES, space.size())];
    ByteBuffer bytes = ByteBuffer.allocate(4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
    for (long at = 0; at < space.size(); at += values.length) {
      int count = (int) Math.min(values.length, space.size() - at);
      space.read(at, values, count);
      bytes.clear().asFloatBuffer().put(values, 0, count);
      sum.update(bytes.array(), 0, 4 * count);
      out.write(bytes.array(), 0, 4 * count);
    }
  }

  /**
   * Sets the spaces to the newest whole checkpoint. One that is damaged is named and passed over.
   *
   * @return where the run stood; empty where it has no checkpoint yet
   * @throws JobException where there are checkpoints and none is whole, or they belong to another
   *     run or to other options
   */
  Optional<TrainingState> restore(Map<String, ParameterSpace> spaces, Consumer<String> warn)
      throws IOException {
    List<String> damaged = new ArrayList<>();
    for (Path path : newestFirst()) {
      if (!folder.files().exists(new Path(path, MANIFEST))) {
        warn.accept(path.getName() + " is unfinished; it is passed over");
        continue;
      }
      try {
        JsonNode manifest = manifest(path);
        List<String> differences = differences(path, manifest);
        if (!differences.isEmpty() && replaces) {
          warn.accept(path.getName() + " goes (--overwrite): " + String.join("; ", differences));
          folder.files().delete(path, true);
          continue;
        }
        refuse(path, differences);
        TrainingState state = state(path, manifest);
        load(path, manifest, spaces);
        return Optional.of(state);
      } catch (IOException | IllegalArgumentException e) {
        damaged.add(path.getName() + ": " + e.getMessage());
        warn.accept("Checkpoint " + path + " is damaged and passed over: " + e.getMessage());
      }
    }
    if (!damaged.isEmpty()) {
      throw JobException.invalid(
          "No checkpoint in "
              + folder.root()
              + " is whole ("
              + String.join("; ", damaged)
              + "); remove them to begin anew");
    }
    return Optional.empty();
  }

  /**
   * Where a run stands by the newest manifest that can be read, for a plan; nothing else is looked
   * at.
   */
  Optional<TrainingState> newest() throws IOException {
    for (Path path : newestFirst()) {
      try {
        return Optional.of(state(path, manifest(path)));
      } catch (IOException | IllegalArgumentException e) {
        LOG.info("{} is passed over: {}", path, e.getMessage());
      }
    }
    return Optional.empty();
  }

  /** Sets one space to what a step's checkpoint holds of it. */
  void load(long step, String name, ParameterSpace space) throws IOException {
    Path path = path(step);
    load(path, manifest(path), Map.of(name, space));
  }

  private JsonNode manifest(Path path) throws IOException {
    try (InputStream in = folder.files().open(new Path(path, MANIFEST))) {
      JsonNode manifest = JSON.readTree(in);
      if (manifest.path("format").asInt() != FORMAT) {
        throw new IOException(
            "its format is " + manifest.path("format") + ", not " + FORMAT + " as this version's");
      }
      return manifest;
    }
  }

  private static TrainingState state(Path path, JsonNode manifest) {
    TrainingState state = TrainingState.read(manifest.required("state"));
    if (state.step() != step(path)) {
      throw new IllegalArgumentException("its state is of step " + state.step());
    }
    return state;
  }

  /** How a checkpoint's options and facts differ from this run's. */
  private List<String> differences(Path path, JsonNode manifest) {
    String run = manifest.required("run_id").asText();
    if (!run.equals(runId)) {
      throw JobException.invalid(
          path
              + " belongs to the run '"
              + run
              + "': give --run-id "
              + run
              + " to go on with it, or another --output-dir");
    }
    Map<String, String> written = new TreeMap<>();
    manifest
        .required("identity")
        .properties()
        .forEach(fact -> written.put(fact.getKey(), fact.getValue().asText()));
    Map<String, String> earlier = asNow.apply(written);
    var names = new TreeSet<>(earlier.keySet());
    names.addAll(identity.keySet());
    return names.stream()
        .filter(name -> !Objects.equals(earlier.get(name), identity.get(name)))
        .map(
            name ->
                "--"
                    + name
                    + " was "
                    + earlier.getOrDefault(name, "not given")
                    + ", now "
                    + identity.getOrDefault(name, "not given"))
        .toList();
  }

  private static void refuse(Path path, List<String> differences) {
    if (!differences.isEmpty()) {
      throw JobException.invalid(
          path
              + " was trained with other options; give them again, another --run-id and"
              + " --output-dir, or --overwrite: "
              + String.join("; ", differences));
    }
  }

  private void load(Path path, JsonNode manifest, Map<String, ParameterSpace> spaces)
      throws IOException {
    for (Map.Entry<String, ParameterSpace> entry : spaces.entrySet()) {
      String name = entry.getKey() + ".f32";
      ParameterSpace space = entry.getValue();
      JsonNode file = manifest.required("files").required(name);
      Path source = new Path(path, name);
      long length = folder.files().getFileStatus(source).getLen();
      if (length != 4 * space.size() || length != file.required("bytes").asLong()) {
        throw new IOException(
            "%s has %s bytes, not the %s of its manifest (%s values are trained)"
                .formatted(name, length, file.required("bytes").asLong(), space.size()));
      }
      var sum = new CRC32C();
      try (InputStream in = folder.files().open(source)) {
        read(in, space, sum);
      }
      if (sum.getValue() != file.required("crc32c").asLong()) {
        throw new IOException(name + " has another CRC-32C than its manifest says");
      }
    }
  }

  private static void read(InputStream in, ParameterSpace space, CRC32C sum) throws IOException {
    float[] values = new float[(int) Math.min(CHUNK_VALUES, space.size())];
    byte[] bytes = new byte[4 * values.length];
    for (long at = 0; at < space.size(); at += values.length) {
      int count = (int) Math.min(values.length, space.size() - at);
      if (in.readNBytes(bytes, 0, 4 * count) < 4 * count) {
        throw new IOException("the file ended early");
      }
      sum.update(bytes, 0, 4 * count);
      ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().get(values, 0, count);
      space.write(at, values, count);
    }
  }

  /** Removes all but the newest {@code limit} and the best. */
  void retain(int limit, long bestStep) throws IOException {
    List<Path> paths = newestFirst();
    for (int i = limit; i < paths.size(); i++) {
      if (!paths.get(i).equals(path(bestStep))) {
        folder.files().delete(paths.get(i), true);
      }
    }
  }

  private List<Path> newestFirst() throws IOException {
    return folder.list(folder.root()).stream()
        .map(FileStatus::getPath)
        .filter(path -> isOne(path.getName()))
        .sorted(Comparator.comparingLong(Checkpoints::step).reversed())
        .toList();
  }

  /** Whether a folder is called as a checkpoint is. */
  static boolean isOne(String name) {
    return name.matches(PREFIX + "\\d{1,18}");
  }

  private static long step(Path path) {
    return Long.parseLong(path.getName().substring(PREFIX.length()));
  }

  private Path path(long step) {
    return folder.path(PREFIX + step);
  }
}
