package dev.distillery.model.nn;

import dev.distillery.model.format.ModelConfig;
import dev.distillery.model.format.ModelTensors;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** Which weights of a student are trained. */
public enum Trainable {
  /** All of them. */
  FULL,
  /** Low-rank adapters, and with them a head that the model's file does not have. */
  LORA,
  /** The head alone: the classifier's, or the output head where it is not the embedding. */
  HEAD,
  /** None: a teacher, or a reference. */
  NONE;

  /**
   * The slots that are trained beside the model's own: adapters.
   *
   * @throws IllegalArgumentException if adapters are given without being trained, or the other way
   *     round, or there is no head
   */
  List<Slot> added(ModelConfig config, Optional<LoraConfig> lora) {
    if (lora.isPresent() != (this == LORA)) {
      throw new IllegalArgumentException(
          this == LORA
              ? "Training adapters needs their configuration"
              : "Adapters are configured but " + this + " is trained");
    }
    if (this == HEAD && config.labels() == 0 && config.tieEmbeddings()) {
      throw new IllegalArgumentException(
          "The output head of this model is its token embedding: train all of it, or adapters");
    }
    return lora.map(l -> DecoderLayout.slots(config, l)).orElse(List.of());
  }

  /** The names of the trained slots among the model's and those {@link #added}. */
  Set<String> trained(ModelConfig config, List<Slot> added) {
    List<Slot> slots = new ArrayList<>(added);
    if (this == FULL) {
      slots.addAll(DecoderLayout.slots(config));
    }
    Set<String> names = new HashSet<>();
    slots.forEach(slot -> names.add(slot.name()));
    if (config.labels() > 0 && this != NONE) {
      names.add(ModelTensors.SCORE);
    } else if (this == HEAD) {
      names.add(ModelTensors.LM_HEAD);
    }
    return names;
  }
}
