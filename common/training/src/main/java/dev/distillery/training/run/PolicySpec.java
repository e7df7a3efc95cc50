package dev.distillery.training.run;

import dev.distillery.model.format.ModelConfig;
import dev.distillery.model.format.ModelFiles;
import dev.distillery.model.nn.FrozenForm;
import dev.distillery.model.nn.LoraConfig;
import dev.distillery.model.nn.Trainable;
import dev.distillery.model.nn.Weights;
import java.io.Serializable;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Which model is trained, and what of it; small, for closures.
 *
 * @param model path as the driver knows it
 * @param fingerprint of the model's bytes, which an executor that reads another copy compares;
 *     empty in a local session
 * @param trainable which weights move
 * @param lora the adapters; counts with {@link Trainable#LORA}
 * @param tokens ids, ascending, whose rows are trained beside the adapters
 * @param dtype what frozen weights are held in
 * @param recompute whether activations are computed again in the backward pass
 * @param classes names of the classes that a new sequence head tells apart; empty where the model
 *     has the head that it has
 * @param valueHead whether a value head is trained beside it, one number a token
 * @param seed of what the model's file does not have: adapters, a new head
 * @param value a value network that is trained beside it, by its own losses
 */
record PolicySpec(
    String model,
    String fingerprint,
    Trainable trainable,
    LoraOptions lora,
    List<Integer> tokens,
    StudentOptions.Dtype dtype,
    boolean recompute,
    List<String> classes,
    boolean valueHead,
    long seed,
    @Nullable PolicySpec value)
    implements Serializable {
  private static final String ALL_LINEAR = "all-linear";

  PolicySpec {
    tokens = List.copyOf(tokens);
    classes = List.copyOf(classes);
  }

  /** See {@link #value}. */
  Optional<PolicySpec> network() {
    return Optional.ofNullable(value);
  }

  /** The shape of what is trained. */
  ModelConfig config(ModelFiles files) {
    return classes.isEmpty()
        ? files.config()
        : files.config().toBuilder().labels(classes.size()).build();
  }

  /** The adapters, where there are any. */
  Optional<LoraConfig> adapters(ModelConfig config) {
    if (trainable != Trainable.LORA) {
      return Optional.empty();
    }
    return Optional.of(
        new LoraConfig(lora.rank(), lora.alpha(), lora.dropout(), targets(config), tokens));
  }

  /** What is trained, and what of it the model's file does not have. */
  Weights.Training training(ModelConfig config) {
    return new Weights.Training(trainable, adapters(config), valueHead, seed);
  }

  /** How frozen weights lie in memory. */
  FrozenForm frozenForm(boolean gguf) {
    return switch (dtype) {
      case AUTO -> gguf ? FrozenForm.AS_STORED : FrozenForm.FLOAT32;
      case FLOAT32 -> FrozenForm.FLOAT32;
      case BFLOAT16 -> FrozenForm.BFLOAT16;
    };
  }

  /** The modules that get an adapter. */
  List<String> targets(ModelConfig config) {
    if (!lora.targets().contains(ALL_LINEAR)) {
      return lora.targets();
    }
    return config.architecture().names().linears();
  }
}
