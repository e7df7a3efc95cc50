package dev.distillery.training.run;

import dev.distillery.model.nn.KernelSets;
import java.util.Map;
import java.util.OptionalInt;
import org.apache.spark.TaskContext;
import org.apache.spark.resource.ResourceInformation;

/** The GPU that Spark gave to a task. */
final class Gpu {
  /** Spark's name of the resource, as in {@code spark.executor.resource.gpu.amount}. */
  static final String RESOURCE = "gpu";

  private Gpu() {}

  /**
   * Lets this thread compute on the GPU that its task was given; the first, where it has several.
   *
   * @throws IllegalStateException where the address that the discovery script gave is no number
   */
  static void useGiven() {
    OptionalInt address = address(TaskContext.get().resourcesJMap());
    address.ifPresent(KernelSets::useGpu);
  }

  /** The number of the first GPU among a task's resources; empty where it was given none. */
  static OptionalInt address(Map<String, ResourceInformation> resources) {
    ResourceInformation gpus = resources.get(RESOURCE);
    if (gpus == null || gpus.addresses().length == 0) {
      return OptionalInt.empty();
    }
    String first = gpus.addresses()[0];
    if (!first.matches("\\d{1,4}")) {
      throw new IllegalStateException(
          "The discovery script of spark.executor.resource.gpu gave the address '%s': expected the number of a GPU as CUDA counts them, from 0"
              .formatted(first));
    }
    return OptionalInt.of(Integer.parseInt(first));
  }
}
