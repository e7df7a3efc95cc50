package dev.distillery.training.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Map;
import org.apache.spark.resource.ResourceInformation;
import org.junit.jupiter.api.Test;

/** That a task is given one by a cluster is seen in {@link TrainingClusterIT}. */
class GpuTest {
  @Test
  void aTaskComputesOnTheFirstThatItWasGiven() {
    assertThat(Gpu.address(Map.of())).isEmpty();
    assertThat(Gpu.address(given())).isEmpty();
    assertThat(Gpu.address(given("3", "1"))).hasValue(3);
    assertThatThrownBy(() -> Gpu.address(given("GPU-8932f937")))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("'GPU-8932f937': expected the number of a GPU");
  }

  private static Map<String, ResourceInformation> given(String... addresses) {
    return Map.of(Gpu.RESOURCE, new ResourceInformation(Gpu.RESOURCE, addresses));
  }
}
