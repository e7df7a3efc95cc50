package dev.distillery.training.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.distillery.core.run.JobException;
import dev.distillery.core.testing.FuzzedFolder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** {@link Checkpoints} and {@link TrainingState}, of manifests that say what is not so. */
class CheckpointsTest {
  private static final ObjectMapper JSON = new ObjectMapper();

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          {"step": 4}                     | its state is of step 4
          {"step": "3"}                   | its state's step is "3" and must be a whole number
          {"tokens": 1e99}                | its state's tokens is 1.0E99 and must be a whole number
          {"total_steps": -1}             | its state's total_steps is -1 and must be
          {"seconds": "soon"}             | its state's seconds is "soon" and must be a number
          {"best": null}                  | its state's best is null and must be a number
          {"best_step": []}               | its state's best_step is [] and must be
          {"evaluations_since_best": 4294967296} | its state's evaluations_since_best is 4294967296
          {"stopped_early": "no"}         | its state's stopped_early is "no" and must be true or
          {"stepper": {"kl_coef": "x"}}   | its state's kl_coef is "x" and must be a number
          """)
  void aStateThatIsNoneIsDamage(String members, String says) throws IOException {
    byte[] seed = Files.readAllBytes(Path.of("src/test/fuzz/CheckpointFuzz/plain.bin"));
    try (FuzzedFolder folder = CheckpointFuzz.folder(seed)) {
      Path manifest = folder.path().resolve("checkpoint-3/manifest.json");
      ObjectNode json = (ObjectNode) JSON.readTree(manifest.toFile());
      ((ObjectNode) json.get("state")).setAll((ObjectNode) JSON.readTree(members));
      Files.writeString(manifest, json.toString());
      assertThatThrownBy(() -> CheckpointFuzz.step(folder))
          .isInstanceOf(JobException.class)
          .hasMessageContaining("checkpoint-3: " + says);
    }
  }

  @Test
  void aStateIsReadAsItWasWritten() {
    for (double value : new double[] {0.1, Double.NaN, Double.NEGATIVE_INFINITY}) {
      var state =
          new TrainingState(3, 1L << 40, 1.5, 9, value, -1, 2, true, Map.of("kl_coef", value));
      ObjectNode json = JSON.createObjectNode();
      state.write(json);
      assertThat(TrainingState.read(json)).isEqualTo(state);
    }
  }
}
