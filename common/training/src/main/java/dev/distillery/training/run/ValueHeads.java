package dev.distillery.training.run;

import dev.distillery.model.format.ModelConfig;
import dev.distillery.model.format.ValueHeadFile;
import dev.distillery.model.nn.DecoderLayout;
import dev.distillery.model.nn.ParameterSpace;
import java.io.IOException;
import java.nio.file.Path;

/** The value head among trained weights, from and to the file beside a model or an adapter. */
final class ValueHeads {
  private ValueHeads() {}

  static void write(Path directory, ParameterSpace trained) throws IOException {
    float[] weight = trained.slot(DecoderLayout.VALUE_WEIGHT).orElseThrow().toArray();
    float[] bias = trained.slot(DecoderLayout.VALUE_BIAS).orElseThrow().toArray();
    ValueHeadFile.write(directory, new ValueHeadFile.ValueHead(weight, bias[0]));
  }

  /** A value network begins with the bias of its reward model's scores. */
  static void begin(ParameterSpace network, double bias) {
    network.slot(DecoderLayout.VALUE_BIAS).orElseThrow().write(new float[] {(float) bias});
  }

  /** The shape of a value network as a reward model, with the bias that was learned. */
  static ModelConfig scoring(ModelConfig config, ParameterSpace network) {
    float bias = network.slot(DecoderLayout.VALUE_BIAS).orElseThrow().toArray()[0];
    return config.toBuilder().scoreBias(bias).build();
  }

  /** Begins with the head that lies beside what training begins from, where there is one. */
  static void read(Path directory, int hidden, ParameterSpace trained) throws IOException {
    if (ValueHeadFile.exists(directory)) {
      ValueHeadFile.ValueHead head = ValueHeadFile.read(directory, hidden);
      trained.slot(DecoderLayout.VALUE_WEIGHT).orElseThrow().write(head.weight());
      trained.slot(DecoderLayout.VALUE_BIAS).orElseThrow().write(new float[] {head.bias()});
    }
  }
}
