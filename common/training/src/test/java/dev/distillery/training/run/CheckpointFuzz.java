package dev.distillery.training.run;

import dev.distillery.core.run.JobException;
import dev.distillery.core.testing.FuzzedFolder;
import dev.distillery.model.nn.ParameterSpace;
import dev.distillery.model.nn.PortableKernels;
import dev.distillery.model.nn.Slot;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A checkpoint of one space, its manifest and its values: where the run stood, which is the same
 * once it was saved and restored, or an error that names the folder.
 */
public final class CheckpointFuzz {
  private static final int STEP = 3;
  private static final String FOLDER = "checkpoint-" + STEP;
  private static final ParameterSpace SPACE =
      new ParameterSpace(new PortableKernels(), List.of(new Slot("head", 2, 3, List.of(), false)));
  private static final Map<String, ParameterSpace> SPACES = Map.of("parameters", SPACE);

  private CheckpointFuzz() {}

  /** A folder of one checkpoint. */
  public static FuzzedFolder folder(byte[] data) throws IOException {
    return new FuzzedFolder(data, FOLDER + "/manifest.json", FOLDER + "/parameters.f32");
  }

  /** The step that a folder's run goes on from. */
  public static long step(FuzzedFolder folder) throws IOException {
    return checkpoints(folder).restore(SPACES, warning -> {}).orElseThrow().step();
  }

  private static Checkpoints checkpoints(FuzzedFolder folder) {
    return new Checkpoints(OutputFolder.at(folder.path()), "r1", Map.of("seed", "7"));
  }

  /** One input. */
  public static void fuzzerTestOneInput(byte[] data) throws IOException {
    try (FuzzedFolder folder = folder(data)) {
      Checkpoints checkpoints = checkpoints(folder);
      Optional<TrainingState> planned = checkpoints.newest();
      TrainingState state;
      try {
        state = checkpoints.restore(SPACES, warning -> {}).orElseThrow();
      } catch (JobException e) {
        if (!folder.isNamedIn(e)) {
          throw e;
        }
        return;
      }
      if (state.step() != STEP || !planned.equals(Optional.of(state))) {
        throw new IllegalStateException(FOLDER + " holds " + state + ", a plan says " + planned);
      }
      float[] values = values();
      checkpoints.save(state, SPACES);
      Optional<TrainingState> again = checkpoints.restore(SPACES, warning -> {});
      if (!again.equals(Optional.of(state)) || !Arrays.equals(values, values())) {
        throw new IllegalStateException(state + " became " + again);
      }
    }
  }

  private static float[] values() {
    float[] values = new float[(int) SPACE.size()];
    SPACE.read(0, values, values.length);
    return values;
  }
}
