package dev.distillery.training.run;

import dev.distillery.model.nn.Kernels;
import dev.distillery.model.nn.ParameterSpace;
import dev.distillery.model.nn.Slot;
import dev.distillery.model.nn.Tensor;
import dev.distillery.model.nn.Workspace;
import dev.distillery.model.train.AdamW;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * For each layer the norm of its gradient (before clipping) and of its parameters, and the ratio of
 * the norm of the step's update to the latter, as Deeplearning4j's dashboard shows them: a healthy
 * ratio is about 1e-3.
 */
final class LayerNorms implements AdamW.Watcher, AutoCloseable {
  private static final List<String> PREFIXES =
      List.of("grad_norm/", "param_norm/", "update_ratio/");

  private static final Pattern LAYER = Pattern.compile(".*?\\.(?:layers|h)\\.(\\d+)\\..*");

  private final Kernels kernels;
  private final ParameterSpace parameters;
  private final ParameterSpace gradient;
  private final Workspace workspace;
  private final Map<String, double[]> squares = new LinkedHashMap<>();

  /** Whether a figure is a layer's. */
  static boolean isName(String name) {
    return PREFIXES.stream().anyMatch(name::startsWith);
  }

  LayerNorms(Kernels kernels, ParameterSpace parameters, ParameterSpace gradient) {
    this.kernels = kernels;
    this.parameters = parameters;
    this.gradient = gradient;
    this.workspace = new Workspace(kernels);
  }

  private static String layer(Slot slot) {
    Matcher layer = LAYER.matcher(slot.name());
    return layer.matches() ? "layer_" + layer.group(1) : slot.name();
  }

  private Tensor values(Slot slot) {
    return parameters.slot(slot.name()).orElseThrow();
  }

  private Tensor scratch(Slot slot) {
    return workspace.get("before", slot.rows(), slot.columns());
  }

  @Override
  public void before(Slot slot) {
    kernels.copy(scratch(slot), values(slot));
    double[] sums = squares.computeIfAbsent(layer(slot), name -> new double[3]);
    sums[0] += square(gradient.slot(slot.name()).orElseThrow());
    sums[1] += square(values(slot));
  }

  @Override
  public void after(Slot slot) {
    Tensor update = scratch(slot);
    kernels.add(update, values(slot), -1);
    squares.computeIfAbsent(layer(slot), name -> new double[3])[2] += square(update);
  }

  private double square(Tensor tensor) {
    Tensor out = workspace.get("square", 1, 1);
    kernels.sumOfSquares(out, tensor);
    return out.column(0)[0];
  }

  /** Figures by name, once all slots have been moved. */
  Map<String, Double> figures() {
    Map<String, Double> figures = new LinkedHashMap<>();
    squares.forEach(
        (layer, sums) -> {
          figures.put("grad_norm/" + layer, Math.sqrt(sums[0]));
          figures.put("param_norm/" + layer, Math.sqrt(sums[1]));
          figures.put(
              "update_ratio/" + layer, sums[1] == 0 ? 0 : Math.sqrt(sums[2]) / Math.sqrt(sums[1]));
        });
    return figures;
  }

  @Override
  public void close() {
    workspace.close();
  }
}
