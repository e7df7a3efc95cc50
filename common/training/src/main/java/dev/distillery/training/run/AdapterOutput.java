package dev.distillery.training.run;

import dev.distillery.model.format.AdapterConfig;
import dev.distillery.model.format.AdapterFiles;
import dev.distillery.model.format.ArrayWeights;
import dev.distillery.model.format.ModelConfig;
import dev.distillery.model.format.TensorSpec;
import dev.distillery.model.nn.DecoderLayout;
import dev.distillery.model.nn.ParameterSpace;
import dev.distillery.model.nn.Slot;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Trained adapters as files in PEFT's layout. */
final class AdapterOutput {
  private AdapterOutput() {}

  /** The name of a slot's tensor as {@link AdapterFiles} has it; a head has its own. */
  static String fileName(String slot) {
    return slot.startsWith(AdapterFiles.PREFIX)
        ? slot.substring(AdapterFiles.PREFIX.length())
        : slot;
  }

  /** Whether a slot holds rows of single tokens. */
  static boolean isOfTokens(Slot slot) {
    return DecoderLayout.tokenModule(slot).isPresent();
  }

  /** The ids of the rows that an adapter has for a slot; empty where it has none for it. */
  static Optional<List<Integer>> tokens(Slot slot, AdapterConfig config) {
    return DecoderLayout.tokenModule(slot)
        .flatMap(module -> Optional.ofNullable(config.tokens().get(module)));
  }

  static void write(Path directory, PolicySpec spec, ModelConfig config, ParameterSpace space)
      throws IOException {
    ArrayWeights weights = new ArrayWeights();
    for (Slot slot : space.slots()) {
      if (DecoderLayout.isValueHead(slot)) {
        continue;
      }
      weights.put(
          new TensorSpec(fileName(slot.name()), List.of(slot.rows(), slot.columns())),
          space.slot(slot.name()).orElseThrow().toArray());
    }
    AdapterFiles.write(
        directory,
        new AdapterConfig(
                spec.lora().rank(),
                spec.lora().alpha(),
                spec.lora().dropout(),
                spec.targets(config),
                false,
                config.labels() > 0 ? List.of("score") : List.of(),
                config.labels() > 0 ? "SEQ_CLS" : "CAUSAL_LM",
                spec.model())
            .with(tokens(spec, config)),
        weights);
  }

  private static Map<String, List<Integer>> tokens(PolicySpec spec, ModelConfig config) {
    Map<String, List<Integer>> tokens = new HashMap<>();
    if (!spec.tokens().isEmpty()) {
      DecoderLayout.tokenModules(config).forEach(module -> tokens.put(module, spec.tokens()));
    }
    return tokens;
  }
}
