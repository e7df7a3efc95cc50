package dev.distillery.training.run;

import static org.assertj.core.api.Assertions.assertThat;

import dev.distillery.core.teacher.testing.FetchedModel;
import dev.distillery.model.format.ModelConfig;
import dev.distillery.model.format.ModelConfigs;
import dev.distillery.model.format.ModelFiles;
import dev.distillery.model.nn.FrozenForm;
import java.io.IOException;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.Test;

class MemoryPlanTest {
  private static final ModelConfig SMOLLM2 = ModelConfigs.named("smollm2-135m");
  private static final long GIBIBYTE = 1L << 30;

  private static BatchOptions batch(int size, int accumulation) {
    return BatchOptions.builder().batchSize(size).gradientAccumulationSteps(accumulation).build();
  }

  @Test
  void frozenWeightsCountAsTheyLie() throws IOException {
    // A file of float16: matrices, and gains of 32 values in five norms.
    try (ModelFiles files =
        ModelFiles.open(
            FetchedModel.root().resolve("common/model/src/test/resources/golden/student"))) {
      long values = files.config().parameterCount();
      long gains = 5 * 32;
      assertThat(MemoryPlan.held(files, 0, FrozenForm.FLOAT32)).isEqualTo(4 * values);
      assertThat(MemoryPlan.held(files, 0, FrozenForm.BFLOAT16)).isEqualTo(2 * (values + gains));
      assertThat(MemoryPlan.held(files, 0, FrozenForm.AS_STORED)).isEqualTo(2 * (values + gains));
      assertThat(MemoryPlan.held(files, values, FrozenForm.FLOAT32)).isZero();
    }
  }

  @Test
  void whatIsTrainedHasMomentsAndAsManyGradientsAsTheTreeHolds() {
    long values = SMOLLM2.parameterCount();
    var plan = new MemoryPlan(0, values, List.of(SMOLLM2), 1, false);
    long one = plan.bytes(1, 1);

    assertThat(one).isBetween(Math.round(1.1 * 16 * values), Math.round(1.2 * 16 * values));
    // Four micro-batches: log2(4) + 2 gradients in place of 1.
    assertThat(plan.bytes(1, 4) - one).isCloseTo(Math.round(1.1 * 4 * 3 * values), withinOne());
  }

  private static org.assertj.core.data.Offset<Long> withinOne() {
    return org.assertj.core.data.Offset.offset(2L);
  }

  @Test
  void whatDoesNotFitIsToldWithWhatWould() {
    var plan = new MemoryPlan(GIBIBYTE / 2, 1_000_000, List.of(SMOLLM2), 1024, false);
    var less = new MemoryPlan(GIBIBYTE / 2, 1_000_000, List.of(SMOLLM2), 1024, true);

    assertThat(plan.objection(batch(8, 2), 64 * GIBIBYTE)).isEmpty();
    MemoryPlan.Fitting fitting = plan.fitting(batch(8, 2), 8 * GIBIBYTE).orElseThrow();
    assertThat(fitting.batchSize() * fitting.accumulation()).as("the same step").isEqualTo(16);
    assertThat(fitting.bytes()).isLessThanOrEqualTo(Math.round(0.9 * 8 * GIBIBYTE));
    assertThat(plan.bytes(2 * fitting.batchSize(), fitting.accumulation()))
        .as("no larger one fits")
        .isGreaterThan(Math.round(0.9 * 8 * GIBIBYTE));
    assertThat(plan.objection(batch(8, 2), 8 * GIBIBYTE).orElseThrow())
        .startsWith("A step of --batch-size 8 needs about ")
        .contains(
            String.format(
                Locale.ROOT,
                "--batch-size %d --gradient-accumulation-steps %d makes the same step",
                fitting.batchSize(),
                fitting.accumulation()));
    assertThat(plan.objection(batch(8, 2), GIBIBYTE).orElseThrow())
        .contains("not even one row fits: give --gradient-checkpointing true, a shorter");
    assertThat(less.bytes(8, 2)).isLessThan(plan.bytes(8, 2) / 2);
    assertThat(less.objection(batch(8, 2), GIBIBYTE / 4).orElseThrow())
        .contains("give a shorter --max-length");
  }
}
