package dev.distillery.model.format;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * A LoRA adapter in PEFT's layout: adapter_config.json and adapter_model.safetensors. Tensors are
 * named here by the weight they belong to: {@code model.layers.0.self_attn.q_proj.lora_A.weight}
 * [rank, in], {@code ....lora_B.weight} [out, rank], and saved heads by their own name, {@code
 * score.weight}; in the file PEFT's prefix stands before.
 */
public final class AdapterFiles {
  private static final String CONFIG = "adapter_config.json";
  private static final String WEIGHTS = "adapter_model.safetensors";
  private static final String PREFIX = "base_model.model.";

  private AdapterFiles() {}

  /**
   * An adapter that was read.
   *
   * @param weights mapped; the caller closes them
   */
  public record Adapter(AdapterConfig config, WeightSource weights) {}

  /** Whether the directory holds an adapter. */
  public static boolean isAdapter(Path directory) {
    return Files.isRegularFile(directory.resolve(CONFIG));
  }

  /**
   * Reads an adapter. Its tensors' shapes are checked against the rank; against the base model they
   * are checked where it is applied.
   *
   * @throws ModelFileException if something in it is wrong, or it is of a kind other than plain
   *     LoRA
   */
  public static Adapter read(Path directory) throws IOException {
    ModelJson json = ModelJson.read(directory.resolve(CONFIG));
    AdapterConfig config = config(json);
    SafetensorsFile file = SafetensorsFile.open(directory.resolve(WEIGHTS));
    try {
      return new Adapter(config, weights(file, config));
    } catch (IOException | RuntimeException e) {
      file.close();
      throw e;
    }
  }

  private static AdapterConfig config(ModelJson json) throws ModelFileException {
    if (!json.text("peft_type").equals("LORA")) {
      throw json.wrong("peft_type", "LORA");
    }
    for (String field : List.of("use_dora", "fan_in_fan_out", "lora_bias")) {
      if (json.bool(field, false)) {
        throw json.wrong(field, "false");
      }
    }
    if (!json.text("bias", "none").equals("none")) {
      throw json.wrong("bias", "none");
    }
    for (String field : List.of("rank_pattern", "alpha_pattern")) {
      if (json.has(field) && !json.node().get(field).isEmpty()) {
        throw json.wrong(field, "empty: one rank for all layers");
      }
    }
    try {
      return new AdapterConfig(
          json.integer("r"),
          json.number("lora_alpha"),
          json.number("lora_dropout", 0),
          texts(json, "target_modules"),
          json.bool("use_rslora", false),
          texts(json, "modules_to_save"),
          json.text("task_type", "CAUSAL_LM"),
          json.text("base_model_name_or_path", ""));
    } catch (IllegalArgumentException e) {
      throw json.error(e.getMessage());
    }
  }

  private static List<String> texts(ModelJson json, String field) throws ModelFileException {
    if (!json.has(field)) {
      return List.of();
    }
    JsonNode array = json.node().get(field);
    List<String> texts = new ArrayList<>();
    for (JsonNode text : array) {
      if (!text.isTextual()) {
        throw json.wrong(field, "a list of names");
      }
      texts.add(text.textValue());
    }
    if (!array.isArray()) {
      throw json.wrong(field, "a list of names");
    }
    return texts.stream().sorted().toList();
  }

  private static WeightSource weights(SafetensorsFile file, AdapterConfig config)
      throws ModelFileException {
    MappedWeights weights = new MappedWeights(List.of(file.file()));
    for (SafetensorsFile.Entry entry : file.entries().values()) {
      Path path = file.file().path();
      String name = entry.name();
      if (!name.startsWith(PREFIX)) {
        throw new ModelFileException(path, "tensor " + name + " does not begin with " + PREFIX);
      }
      List<Long> shape = entry.shape();
      boolean fits = shape.size() == 1 || shape.size() == 2;
      for (long dimension : shape) {
        fits &= dimension > 0 && dimension <= Integer.MAX_VALUE;
      }
      if (name.endsWith(".lora_A.weight")) {
        fits &= shape.size() == 2 && shape.get(0) == config.rank();
      } else if (name.endsWith(".lora_B.weight")) {
        fits &= shape.size() == 2 && shape.get(1) == config.rank();
      }
      if (!fits) {
        throw new ModelFileException(
            path, "tensor " + name + " of shape " + shape + " does not fit r = " + config.rank());
      }
      TensorType type =
          TensorType.ofSafetensors(entry.type())
              .orElseThrow(
                  () -> new ModelFileException(path, "tensor " + name + " is of integers"));
      weights.add(
          new WeightSource.Weight(
              new TensorSpec(
                  name.substring(PREFIX.length()), shape.stream().map(Math::toIntExact).toList()),
              type),
          new MappedWeights.Place(file.file(), entry.offset(), 0, 0));
    }
    return weights;
  }

  /**
   * Writes an adapter, as float32. All tensors of {@code weights} are written.
   *
   * @param directory is made if it is not there; must not hold an adapter yet
   */
  public static void write(Path directory, AdapterConfig config, WeightSource weights)
      throws IOException {
    Files.createDirectories(directory);
    Path configFile = directory.resolve(CONFIG);
    if (Files.exists(configFile)) {
      throw new ModelFileException(
          directory, "it holds an adapter already; choose another directory");
    }
    ArrayWeights prefixed = new ArrayWeights();
    List<TensorSpec> specs = new ArrayList<>();
    for (WeightSource.Weight weight : weights.weights().values()) {
      TensorSpec spec = new TensorSpec(PREFIX + weight.spec().name(), weight.spec().shape());
      prefixed.put(spec, weights.read(weight.spec().name()));
      specs.add(spec);
    }
    ModelWriter.writeShard(directory.resolve(WEIGHTS), specs, prefixed, TensorType.F32);
    ObjectNode json = ModelJson.newObject();
    json.put("peft_type", "LORA");
    json.put("task_type", config.taskType());
    json.put("base_model_name_or_path", config.baseModel());
    json.put("r", config.rank());
    json.put("lora_alpha", config.alpha());
    json.put("lora_dropout", config.dropout());
    json.put("use_rslora", config.rsLora());
    json.put("bias", "none");
    json.put("fan_in_fan_out", false);
    json.put("inference_mode", true);
    config.targets().forEach(json.putArray("target_modules")::add);
    if (config.savedModules().isEmpty()) {
      json.putNull("modules_to_save");
    } else {
      config.savedModules().forEach(json.putArray("modules_to_save")::add);
    }
    Files.write(configFile, ModelJson.bytes(json));
  }
}
