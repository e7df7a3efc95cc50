package dev.distillery.model.format;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.distillery.core.format.ModelFileException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A LoRA adapter in PEFT's layout: adapter_config.json and adapter_model.safetensors. Tensors are
 * named here by the weight they belong to: {@code model.layers.0.self_attn.q_proj.lora_A.weight}
 * [rank, in], {@code ....lora_B.weight} [out, rank], and saved heads by their own name, {@code
 * score.weight}; in the file PEFT's prefix stands before. An embedding's factors are {@code
 * model.embed_tokens.lora_embedding_A} [rank, vocab] and {@code lora_embedding_B} [dim, rank]; rows
 * of single tokens are {@code model.embed_tokens.token_adapter.trainable_tokens_delta} [ids, dim].
 */
public final class AdapterFiles {
  private static final String CONFIG = "adapter_config.json";
  private static final String WEIGHTS = "adapter_model.safetensors";

  /** What PEFT puts before the names of a model's modules. */
  public static final String PREFIX = "base_model.model.";

  /** What PEFT puts behind the name of a module whose rows are trained for some tokens. */
  public static final String TOKEN_ROWS = ".token_adapter.trainable_tokens_delta";

  /** What PEFT puts into the name of a tensor of the base whose module has factors. */
  private static final String BASE_LAYER = ".base_layer.";

  /** The name of an adapter in the names of its tensors, which PEFT loads too. */
  private static final String DEFAULT_ADAPTER = ".default.weight";

  /** A factor in the file: its module, and which of the two it is. */
  private static final Pattern FACTOR =
      Pattern.compile(
          "base_model\\.model\\.(.*)\\.(lora_[AB](?:\\.default)?\\.weight|lora_embedding_[AB])");

  /** Beginnings of factors that leave the base as it is. */
  private static final Set<String> STARTS =
      Set.of("true", "false", "gaussian", "eva", "orthogonal");

  /** Fields that, where they are on, make other weights than plain LoRA. */
  private static final List<String> OTHER_KINDS =
      List.of(
          "use_dora",
          "lora_bias",
          "use_qalora",
          "layer_replication",
          "target_parameters",
          "alora_invocation_tokens",
          "arrow_config",
          "kasa_config",
          "velora_config",
          "monteclora_config",
          "use_bdlora",
          "megatron_config",
          "ensure_weight_tying");

  /** Fields that change nothing of what is merged. */
  private static final Set<String> WITHOUT_EFFECT =
      Set.of(
          "auto_mapping",
          "revision",
          "inference_mode",
          "peft_version",
          "megatron_core",
          "loftq_config",
          "eva_config",
          "corda_config",
          "lora_ga_config",
          "qalora_group_size",
          // PEFT takes it back for matrices that are [out, in], as all that are merged here.
          "fan_in_fan_out",
          "runtime_config");

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
   * Reads an adapter. What its file says is used as PEFT uses it, or refused by name. Its tensors'
   * shapes are checked against the rank; against the base model they are checked where it is
   * applied.
   *
   * @throws ModelFileException if something in it is wrong, or it is of a kind other than plain
   *     LoRA
   */
  public static Adapter read(Path directory) throws IOException {
    ModelJson json = ModelJson.read(directory.resolve(CONFIG));
    AdapterModules modules = new AdapterModules(json);
    SafetensorsFile file = SafetensorsFile.open(directory.resolve(WEIGHTS));
    try {
      AdapterConfig config = config(json, modules, file);
      return new Adapter(config, weights(file, config, modules));
    } catch (IOException | RuntimeException e) {
      file.close();
      throw e;
    }
  }

  private static AdapterConfig config(ModelJson json, AdapterModules modules, SafetensorsFile file)
      throws ModelFileException {
    if (!json.text("peft_type").equals("LORA")) {
      throw json.wrong("peft_type", "LORA");
    }
    if (!json.text("bias", "none").equals("none")) {
      throw json.wrong("bias", "none: trained biases are not merged");
    }
    String start =
        json.has("init_lora_weights") ? json.node().get("init_lora_weights").asText() : "";
    if (!start.isEmpty() && !STARTS.contains(start)) {
      throw json.wrong(
          "init_lora_weights",
          "true, false, gaussian, eva or orthogonal: others change the base, so convert the adapter"
              + " to plain LoRA");
    }
    for (String field : OTHER_KINDS) {
      if (json.has(field) && isOn(json.node().get(field))) {
        throw json.wrong(field, "absent or off: it makes other weights than plain LoRA");
      }
    }
    try {
      AdapterConfig config =
          new AdapterConfig(
              json.integer("r"),
              json.number("lora_alpha"),
              json.number("lora_dropout", 0),
              modules.targets(adapted(file)),
              json.bool("use_rslora", false),
              modules.saved(),
              json.text("task_type", "CAUSAL_LM"),
              json.text("base_model_name_or_path", ""),
              patterns(json),
              AdapterTokens.read(json, withRows(file)));
      for (String field : json.unread()) {
        if (!WITHOUT_EFFECT.contains(field)) {
          throw json.wrong(field, "absent: it is not known what it does to an adapter");
        }
      }
      return config;
    } catch (IllegalArgumentException e) {
      throw json.error(e.getMessage());
    }
  }

  private static boolean isOn(JsonNode value) {
    return !(value.isBoolean() && !value.booleanValue())
        && !(value.isContainerNode() && value.isEmpty());
  }

  private static AdapterPatterns patterns(ModelJson json) throws ModelFileException {
    Map<String, Integer> ranks = new LinkedHashMap<>();
    Optional<ModelJson> given = json.object("rank_pattern");
    if (given.isPresent()) {
      for (var entry : given.get().node().properties()) {
        ranks.put(entry.getKey(), given.get().integer(entry.getKey()));
      }
    }
    Map<String, Double> alphas = new LinkedHashMap<>();
    given = json.object("alpha_pattern");
    if (given.isPresent()) {
      for (var entry : given.get().node().properties()) {
        alphas.put(entry.getKey(), given.get().number(entry.getKey()));
      }
    }
    return new AdapterPatterns(ranks, alphas);
  }

  /** The modules that have a factor in the file. */
  private static Set<String> adapted(SafetensorsFile file) {
    Set<String> modules = new TreeSet<>();
    for (String name : file.entries().keySet()) {
      Matcher factor = FACTOR.matcher(name);
      if (factor.matches()) {
        modules.add(factor.group(1));
      }
    }
    return modules;
  }

  /** The modules that have rows of single tokens in the file. */
  private static Set<String> withRows(SafetensorsFile file) {
    Set<String> modules = new TreeSet<>();
    for (String name : file.entries().keySet()) {
      if (name.startsWith(PREFIX) && !AdapterTokens.module(name).isEmpty()) {
        modules.add(AdapterTokens.module(name.substring(PREFIX.length())));
      }
    }
    return modules;
  }

  private static WeightSource weights(
      SafetensorsFile file, AdapterConfig config, AdapterModules modules)
      throws ModelFileException {
    MappedWeights weights = new MappedWeights(List.of(file.file()));
    Path path = file.file().path();
    for (SafetensorsFile.Entry entry : file.entries().values()) {
      String name = entry.name();
      if (!name.startsWith(PREFIX)) {
        throw new ModelFileException(path, "tensor " + name + " does not begin with " + PREFIX);
      }
      List<Long> shape = entry.shape();
      boolean fits = shape.size() == 1 || shape.size() == 2;
      for (long dimension : shape) {
        fits &= dimension > 0 && dimension <= Integer.MAX_VALUE;
      }
      Matcher factor = FACTOR.matcher(name);
      int rank = config.rank();
      if (factor.matches()) {
        String module = factor.group(1);
        if (!modules.adapts(module)) {
          throw new ModelFileException(
              path,
              "tensor %s belongs to no module that adapter_config.json adapts (target_modules, exclude_modules, modules_to_save, layers_to_transform): PEFT would leave it out"
                  .formatted(name));
        }
        rank = config.rank(module);
        fits &=
            shape.size() == 2
                && shape.get(factor.group(2).matches("lora_(embedding_)?A.*") ? 0 : 1) == rank;
      }
      if (!fits) {
        throw new ModelFileException(
            path, "tensor " + name + " of shape " + shape + " does not fit r = " + rank);
      }
      String withRows = AdapterTokens.module(name.substring(PREFIX.length()));
      if (!withRows.isEmpty()) {
        int rows = config.tokens().get(withRows).size();
        if (shape.size() != 2 || shape.get(0) != rows) {
          throw new ModelFileException(
              path,
              "tensor %s of shape %s does not fit the %s ids of trainable_token_indices"
                  .formatted(name, shape, rows));
        }
      }
      TensorType type =
          TensorType.ofSafetensors(entry.type())
              .orElseThrow(
                  () -> new ModelFileException(path, "tensor " + name + " is of integers"));
      String own =
          name.substring(PREFIX.length())
              .replace(BASE_LAYER, ".")
              .replace(DEFAULT_ADAPTER, ".weight");
      if (weights.weights().containsKey(own)) {
        throw new ModelFileException(
            path, "tensor %s is another of what is %s here".formatted(name, own));
      }
      weights.add(
          new WeightSource.Weight(
              new TensorSpec(own, shape.stream().map(Math::toIntExact).toList()), type),
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
    config.patterns().ranks().forEach(json.putObject("rank_pattern")::put);
    config.patterns().alphas().forEach(json.putObject("alpha_pattern")::put);
    if (config.savedModules().isEmpty()) {
      json.putNull("modules_to_save");
    } else {
      config.savedModules().forEach(json.putArray("modules_to_save")::add);
    }
    if (!config.tokens().isEmpty()) {
      ObjectNode tokens = json.putObject("trainable_token_indices");
      config
          .tokens()
          .forEach(
              (module, ids) ->
                  ids.forEach(tokens.putArray(module.substring(module.lastIndexOf('.') + 1))::add));
    }
    Files.write(configFile, ModelJson.bytes(json));
  }
}
