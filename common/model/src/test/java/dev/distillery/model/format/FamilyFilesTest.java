package dev.distillery.model.format;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.distillery.core.format.ModelFileException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** What config.json and GGUF files say of each family, in the forms that published files have. */
class FamilyFilesTest {
  private static final String SIZES =
      "'vocab_size':32,'hidden_size':32,'intermediate_size':48,'num_hidden_layers':7,"
          + "'num_attention_heads':4,'num_key_value_heads':2,'max_position_embeddings':128";

  @TempDir Path temp;

  private static ModelConfig read(String modelType, String keys) throws IOException {
    String json = "{'model_type':'" + modelType + "'," + SIZES + keys + "}";
    return HuggingFaceConfig.read(
        ModelJson.parse(
            Path.of("config.json"), json.replace('\'', '"').getBytes(StandardCharsets.UTF_8)));
  }

  private static String kinds(ModelConfig config) {
    StringBuilder letters = new StringBuilder();
    for (LayerKind kind : config.layerKinds()) {
      letters.append(kind.local() ? 'L' : 'F').append(kind.rotated() ? "" : "-");
    }
    return letters.toString();
  }

  /** What a missing, null or voided window and the older keys mean. */
  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      quoteCharacter = '@',
      value = {
        "qwen2; ,'sliding_window':8,'max_window_layers':2; 0; FFFFFFF",
        "qwen2; ,'use_sliding_window':true,'sliding_window':8,'max_window_layers':5; 8; FFFFFLL",
        "qwen2; ,'use_sliding_window':true,'sliding_window':null,'max_window_layers':0; 0; FFFFFFF",
        "qwen3; ,'use_sliding_window':true,'sliding_window':8,'max_window_layers':7; 0; FFFFFFF",
        "mistral; ,'sliding_window':8; 8; LLLLLLL",
        "mistral; ,'sliding_window':null; 0; FFFFFFF",
        // The class's own window of 4096 hides nothing of a context of 128.
        "mistral; ; 128; LLLLLLL",
        "phi3; ,'sliding_window':8,'original_max_position_embeddings':64; 8; LLLLLLL",
        "phi3; ; 0; FFFFFFF",
        "gemma3_text; ,'sliding_window':8; 8; LLLLLFL",
        "gemma3_text; ,'sliding_window':8,'sliding_window_pattern':3; 8; LLFLLFL",
        "smollm3; ; 0; FFFF-FFF",
        "smollm3; ,'no_rope_layers':[1,0,1,1,1,1,0]; 0; FF-FFFFF-",
        "smollm3; ,'no_rope_layer_interval':2,'use_sliding_window':true,'sliding_window':8; 8;"
            + " FL-FL-FL-F"
      })
  void windowsAreThoseOfTheFamily(String type, String keys, int window, String kinds)
      throws IOException {
    ModelConfig config = read(type, keys == null ? "" : keys);
    assertThat(config.window()).isEqualTo(window);
    assertThat(kinds(config)).isEqualTo(kinds);
  }

  @Test
  void layerTypesStandOverOlderKeys() throws IOException {
    String types =
        ",'layer_types':['sliding_attention','full_attention','full_attention','full_attention',"
            + "'full_attention','full_attention','sliding_attention'],'sliding_window':8";
    assertThat(kinds(read("gemma3_text", types + ",'sliding_window_pattern':2")))
        .isEqualTo("LFFFFFL");
    assertThat(kinds(read("qwen3", types + ",'use_sliding_window':true,'max_window_layers':1")))
        .isEqualTo("LFFFFFL");
  }

  @Test
  void missingKeysMeanWhatTheClassTakes() throws IOException {
    ModelConfig gemma = read("gemma3_text", ",'sliding_window':8");
    assertThat(gemma.headDim()).isEqualTo(256);
    assertThat(gemma.ropeTheta()).isEqualTo(1_000_000);
    assertThat(gemma.localRopeTheta()).hasValue(10_000);
    assertThat(gemma.scales()).isEqualTo(new Scales(Math.sqrt(32), 1 / 16.0, 1, 1));
    assertThat(gemma.tieEmbeddings()).isTrue();
    assertThat(gemma.activation()).isEqualTo(Activation.GELU_TANH);
    assertThat(read("qwen3", "").headDim()).isEqualTo(128);
    assertThat(read("qwen2", "").headDim()).isEqualTo(8);
    assertThat(read("qwen2", "").attentionBias()).isTrue();
    assertThat(read("mistral", ",'head_dim':null").headDim()).isEqualTo(8);
    assertThat(read("smollm3", "").ropeTheta()).isEqualTo(2_000_000);
    assertThat(read("smollm3", "").tieEmbeddings()).isTrue();
    assertThat(read("olmo2", "").normEps()).isEqualTo(1e-5);
    assertThat(read("phi3", "").normEps()).isEqualTo(1e-5);
    assertThat(read("granite", "").scales()).isEqualTo(new Scales(1, 1, 1, 1));
  }

  @Test
  void bothSpellingsOfPositionsAreRead() throws IOException {
    ModelConfig old =
        read(
            "gemma3_text",
            ",'sliding_window':8,'rope_theta':5e5,'rope_local_base_freq':2e4,"
                + "'rope_scaling':{'rope_type':'linear','factor':8.0}");
    ModelConfig today =
        read(
            "gemma3_text",
            ",'sliding_window':8,'rope_parameters':{'full_attention':{'rope_type':'linear',"
                + "'factor':8.0,'rope_theta':5e5},'sliding_attention':{'rope_type':'default',"
                + "'rope_theta':2e4}}");
    assertThat(today).isEqualTo(old);
    assertThat(old.ropeScaling()).contains(new RopeScaling.Linear(8));
    // Scaling is of global layers only.
    assertThat(old.ropeFrequencies(false)[0]).isEqualTo(1 / 8.0);
    assertThat(old.ropeFrequencies(true)[0]).isEqualTo(1);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      quoteCharacter = '@',
      value = {
        "llama; ,'sliding_window':8; sliding_window",
        "llama; ,'attn_output_gate':true; attn_output_gate",
        "llama; ,'num_experts':8; num_experts",
        "llama; ,'pretraining_tp':2; pretraining_tp",
        "llama; ,'partial_rotary_factor':0.5; partial_rotary_factor",
        "llama; ,'rope_interleaved':true; rope_interleaved",
        "llama; ,'rope_scaling':{'rope_type':'yarn'}; rope_scaling.factor",
        "llama; ,'rope_scaling':{'rope_type':'yarn','factor':null}; rope_scaling.factor",
        "llama; ,'rope_scaling':{'rope_type':'yarn','factor':4,'x':1}; rope_scaling.x",
        "llama; ,'rope_scaling':{'rope_type':'yarn','factor':4,'beta_slow':64}; beta_slow",
        "llama; ,'rope_scaling':{'rope_type':'yarn','factor':4,'attention_factor':-1};"
            + " attention_factor",
        "llama; ,'original_max_position_embeddings':64; original_max_position_embeddings",
        "phi3; ,'partial_rotary_factor':0.75; partial_rotary_factor",
        "phi3; ,'rope_scaling':{'type':'yarn','factor':4.0}; rope_type",
        "phi3; ,'rope_scaling':{'type':'su','short_factor':[1]}; type",
        "phi3; ,'sliding_window':129; sliding_window must be in [1, 128]: 129",
        "gemma2; ; one of llama, qwen2",
        "qwen3_moe; ; one of llama, qwen2",
        "llama; ,'rope_scaling':{'type':'dynamic','factor':2.0}; rope_scaling.type should be"
            + " default, linear",
        "llama; ,'rope_scaling':{'rope_type':'dynamic','factor':2.0}; rope_scaling.rope_type",
        "qwen2; ,'rope_parameters':{'rope_type':'dynamic','factor':2.0}; rope_parameters.rope_type",
        "llama; ,'rope_scaling':{'type':'longrope','short_factor':[1.0],'long_factor':[2.0]};"
            + " rope_scaling.type",
        "qwen3;"
            + " ,'rope_parameters':{'rope_type':'longrope','short_factor':[1.0],'long_factor':[2.0]};"
            + " rope_parameters.rope_type",
        "llama; ,'rope_scaling':{'type':'su','short_factor':[1.0],'long_factor':[2.0]};"
            + " rope_scaling.type",
        "llama; ,'rope_parameters':{'rope_type':'proportional','partial_rotary_factor':0.5};"
            + " rope_parameters.partial_rotary_factor",
        "qwen2; ,'rope_scaling':{'type':'mrope','mrope_section':[1,1]}; rope_scaling.type",
        "gemma3_text; ,'rope_parameters':{'full_attention':{'rope_type':'dynamic','factor':2.0}};"
            + " full_attention.rope_type",
        "gemma3_text; ,'rope_parameters':{'sliding_attention':{'rope_type':'linear','factor':2.0}};"
            + " sliding_attention.rope_type",
        "llama;"
            + " ,'rope_scaling':{'type':'linear','factor':4.0},'rope_parameters':{'rope_type':'linear','factor':2.0};"
            + " rope_scaling should be the same",
        "llama;"
            + " ,'rope_scaling':{'type':'linear','factor':2.0},'rope_parameters':{'rope_type':'linear','factor':2.0,'rope_theta':5e5};"
            + " rope_scaling should be the same",
        "llama; ,'rope_theta':1e5,'rope_scaling':{'type':'linear','factor':2.0,'rope_theta':5e5};"
            + " rope_theta should be the same",
        "llama; ,'rope_scaling':{'rope_type':'linear'}; rope_scaling.factor",
        "llama; ,'rope_scaling':{'rope_type':'linear','factor':2,'x':1}; rope_scaling.x",
        "llama; ,'auto_map':{'AutoModelForCausalLM':'modeling_x.XForCausalLM'}; auto_map",
        "qwen2; ,'quantization_config':{'bits':4}; quantization_config",
        "qwen2; ,'layer_types':['full_attention']; layer_types",
        "qwen3; ,'layer_types':['chunked_attention']; layer_types",
        "mistral; ,'attention_bias':true; attention_bias",
        "mistral; ,'sliding_window':129; sliding_window must be in [1, 128]: 129",
        "gemma3_text; ,'final_logit_softcapping':30.0; final_logit_softcapping",
        "gemma3_text; ,'attn_logit_softcapping':50.0; attn_logit_softcapping",
        "gemma3_text; ,'use_bidirectional_attention':true; use_bidirectional_attention",
        "gemma3_text; ,'sliding_window':null; sliding_window",
        "gemma3; ; vision tower",
        "falcon; ; one of llama, qwen2",
        "smollm3; ,'no_rope_layers':[1,0]; no_rope_layers",
      })
  void whatIsNotUnderstoodIsNamed(String type, String keys, String named) {
    assertThatThrownBy(() -> read(type, keys == null ? "" : keys))
        .isInstanceOf(ModelFileException.class)
        .hasMessageContaining(named);
  }

  /** Missing keys of YaRN, and the older spelling of its type. */
  @Test
  void yarnIsReadAsThePaperHasIt() throws IOException {
    double factor = 0.1 * Math.log(4) + 1;
    assertThat(read("qwen2", ",'rope_scaling':{'type':'yarn','factor':4.0}").ropeScaling())
        .contains(new RopeScaling.Yarn(4, 128, 32, 1, factor, true));
    String all =
        ",'rope_parameters':{'rope_type':'yarn','factor':4.0,'rope_theta':5e5,'truncate':false,"
            + "'original_max_position_embeddings':32,'beta_fast':16,'beta_slow':2,"
            + "'attention_factor':1.5,'mscale':2.0,'mscale_all_dim':1.0}";
    assertThat(read("qwen3", all).ropeScaling())
        .contains(new RopeScaling.Yarn(4, 32, 16, 2, 1.5, false));
    assertThat(read("qwen3", all.replace("'attention_factor':1.5,", "")).ropeMagnitude(false))
        .isEqualTo((0.2 * Math.log(4) + 1) / factor);
    // A switch by layers is not looked at by transformers.
    String local =
        ",'sliding_window':8,'rope_parameters':{'full_attention':{'rope_type':'yarn','factor':4.0,"
            + "'rope_theta':5e5,'truncate':false}}";
    assertThatThrownBy(() -> read("gemma3_text", local)).hasMessageContaining("truncate");
    ModelConfig gemma = read("gemma3_text", local.replace(",'truncate':false", ""));
    assertThat(gemma.ropeMagnitude(false)).isEqualTo(factor);
    assertThat(gemma.ropeMagnitude(true)).isEqualTo(1);
  }

  /** transformers takes what the object of the scaling says before what stands beside it. */
  @Test
  void aThetaWithinTheScalingCounts() throws IOException {
    String scaling = "'rope_scaling':{'type':'linear','factor':2.0,'rope_theta':5e5}";
    assertThat(read("llama", "," + scaling).ropeTheta()).isEqualTo(5e5);
    String both =
        ",'rope_theta':5e5,"
            + scaling
            + ",'rope_parameters':"
            + "{'rope_type':'linear','factor':2.0,'rope_theta':5e5}";
    assertThat(read("llama", both)).isEqualTo(read("llama", "," + scaling));
    assertThat(read("gemma3_text", "," + scaling).ropeTheta()).isEqualTo(5e5);
  }

  @Test
  void whatChangesNothingIsLeftAside() throws IOException {
    String keys =
        ",'architectures':['Qwen2ForCausalLM'],'torch_dtype':'bfloat16','use_cache':true,"
            + "'attention_dropout':0.0,'eos_token_id':7,'transformers_version':'4.43.1',"
            + "'sliding_window':131072,'max_window_layers':28,'use_mrope':false,"
            + "'rope_scaling':null,'pretraining_tp':1";
    assertThat(read("qwen2", keys)).isEqualTo(read("qwen2", ""));
  }

  /** Every family, with what sets it apart. */
  static List<ModelConfig> models() {
    return List.of(
        small(Architecture.QWEN2).window(8).layerKinds(types("FLL")).build(),
        small(Architecture.QWEN3).headDim(16).attentionBias(true).build(),
        small(Architecture.MISTRAL).window(16).build(),
        small(Architecture.MISTRAL).headDim(16).build(),
        gemma().attentionScale(1 / Math.sqrt(24)).build(),
        gemma().ropeScaling(Optional.of(new RopeScaling.Linear(8))).labels(1).build(),
        gemma().ropeScaling(Optional.of(yarn(true))).build(),
        small(Architecture.SMOLLM3)
            .window(8)
            .layerKinds(
                List.of(LayerKind.FULL, LayerKind.LOCAL_UNROTATED, LayerKind.FULL_UNROTATED))
            .build(),
        small(Architecture.GRANITE)
            .embeddingScale(12)
            .attentionScale(0.25)
            .residualScale(0.22)
            .logitScale(1 / 8.0)
            .build(),
        small(Architecture.OLMO2).build(),
        small(Architecture.PHI3).window(8).build(),
        small(Architecture.QWEN2)
            .ropeScaling(Optional.of(new RopeScaling.Yarn(4, 16, 8, 2, 1.25, false)))
            .build(),
        ModelConfig.of(Architecture.GPT1)
            .vocabSize(32)
            .hiddenSize(16)
            .layers(2)
            .heads(4)
            .maxPositions(24)
            .build());
  }

  private static ModelConfigBuilder small(Architecture architecture) {
    return ModelConfig.of(architecture)
        .vocabSize(32)
        .hiddenSize(32)
        .intermediateSize(32)
        .layers(3)
        .heads(4)
        .kvHeads(2)
        .maxPositions(64)
        .normEps(1e-6);
  }

  private static ModelConfigBuilder gemma() {
    return small(Architecture.GEMMA3)
        .headDim(16)
        .window(8)
        .layerKinds(types("LLF"))
        .localRopeTheta(10_000)
        .tieEmbeddings(true);
  }

  private static List<LayerKind> types(String letters) {
    return letters.chars().mapToObj(c -> LayerKind.of(c == 'L', true)).toList();
  }

  @ParameterizedTest
  @MethodSource("models")
  void aWrittenDirectoryReadsBack(ModelConfig config) throws IOException {
    Path directory = temp.resolve("model");
    ModelWriter.write(
        directory, config, SpecialTokens.none(), GoldenFiles.weights(config), TensorType.F32);
    try (ModelFiles model = ModelFiles.open(directory)) {
      assertThat(model.config()).isEqualTo(config);
      assertHoldsTheFormula(model, 0, 1);
      assertThat(model.specialTokens()).isEqualTo(SpecialTokens.none());
    }
    // Else transformers would take the ids of the family's class, which may not be in this model.
    assertThat(Files.readString(directory.resolve("config.json")))
        .contains("\"pad_token_id\" : null", "\"bos_token_id\" : null", "\"eos_token_id\" : null");
  }

  static List<ModelConfig> sayable() {
    return List.of(
        small(Architecture.QWEN2).build(),
        small(Architecture.QWEN3).headDim(16).tieEmbeddings(true).build(),
        gemma().attentionScale(1 / Math.sqrt(24)).build(),
        gemma().ropeScaling(Optional.of(new RopeScaling.Linear(8))).build(),
        small(Architecture.SMOLLM3)
            .layers(4)
            .layerKinds(
                List.of(LayerKind.FULL, LayerKind.FULL, LayerKind.FULL, LayerKind.FULL_UNROTATED))
            .build(),
        small(Architecture.GRANITE)
            .embeddingScale(12)
            .attentionScale(0.25)
            .residualScale(0.22)
            .logitScale(1 / 8.0)
            .build(),
        small(Architecture.OLMO2).build(),
        small(Architecture.PHI3).build(),
        small(Architecture.QWEN2).ropeScaling(Optional.of(yarn(true))).build());
  }

  private static RopeScaling yarn(boolean truncate) {
    return new RopeScaling.Yarn(4, 16, 8, 2, 0.1 * Math.log(4) + 1, truncate);
  }

  @ParameterizedTest
  @MethodSource("sayable")
  void aWrittenGgufReadsBack(ModelConfig config) throws IOException {
    Path file = temp.resolve("model.gguf");
    GgufWriter.write(
        file, config, SpecialTokens.none(), Map.of(), GoldenFiles.weights(config), TensorType.F32);
    // Gemma's scale of scores lies in the gains of its queries.
    double folded = config.scales().attention() * Math.sqrt(config.headDim());
    boolean gemma = config.architecture() == Architecture.GEMMA3;
    try (ModelFiles model = ModelFiles.open(file)) {
      ModelConfig expected =
          gemma
              ? config.toBuilder().attentionScale(1 / Math.sqrt(config.headDim())).build()
              : config;
      assertThat(model.config()).isEqualTo(expected);
      assertHoldsTheFormula(model, 1e-6f, gemma ? folded : 1);
    }
  }

  private static void assertHoldsTheFormula(ModelFiles model, float tolerance, double folded)
      throws IOException {
    assertThat(model.weights().weights().values())
        .extracting(WeightSource.Weight::spec)
        .containsExactlyInAnyOrderElementsOf(ModelTensors.of(model.config()));
    for (WeightSource.Weight weight : model.weights().weights().values()) {
      float[] expected = GoldenFiles.weight(weight.spec());
      if (folded != 1 && weight.spec().name().endsWith("q_norm.weight")) {
        for (int i = 0; i < expected.length; i++) {
          expected[i] = (float) ((1 + expected[i]) * folded - 1);
        }
      }
      assertThat(model.weights().read(weight.spec().name()))
          .as(weight.spec().name())
          .usingComparatorWithPrecision(tolerance)
          .containsExactly(expected);
    }
  }

  @Test
  void whatGgufCannotSayIsNamed() {
    assertRefused(small(Architecture.MISTRAL).window(16).build(), "window of 16");
    assertRefused(
        small(Architecture.QWEN2).window(8).layerKinds(types("FLL")).build(), "window of 8");
    assertRefused(small(Architecture.QWEN3).attentionBias(true).build(), "biases");
    assertRefused(small(Architecture.SMOLLM3).layers(8).build(), "every fourth");
    assertRefused(gemma().layers(4).layerKinds(types("LFFL")).build(), "do not repeat");
    assertRefused(gemma().labels(1).build(), "sequence head");
    assertRefused(gemma().activation(Activation.GELU).build(), "activation gelu");
    assertRefused(small(Architecture.PHI3).window(16).build(), "window of 16");
    assertRefused(
        small(Architecture.LLAMA).ropeScaling(Optional.of(yarn(false))).build(), "truncate");
    assertRefused(ModelConfigs.named("gpt1"), "learned positions");
  }

  private void assertRefused(ModelConfig config, String named) {
    assertThatThrownBy(
            () ->
                GgufWriter.write(
                    temp.resolve("model.gguf"),
                    config,
                    SpecialTokens.none(),
                    Map.of(),
                    new ArrayWeights(),
                    TensorType.F32))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(config.architecture().modelType())
        .hasMessageContaining(named);
  }

  /** A window that hides nothing is none. */
  @Test
  void mistralWithoutAWindowIsWrittenAsLlama() throws IOException {
    ModelConfig config = small(Architecture.MISTRAL).window(64).build();
    Path file = temp.resolve("model.gguf");
    GgufWriter.write(
        file, config, SpecialTokens.none(), Map.of(), GoldenFiles.weights(config), TensorType.F32);
    try (ModelFiles model = ModelFiles.open(file)) {
      assertThat(model.config()).isEqualTo(small(Architecture.LLAMA).build());
    }
  }

  @ParameterizedTest
  @EnumSource
  void everyFamilyHasItsTensorsOnce(Architecture architecture) {
    boolean gpt = !architecture.shape().rotary();
    ModelConfigBuilder builder = small(architecture).kvHeads(gpt ? 4 : 2).tieEmbeddings(false);
    List<String> names = ModelTensors.of(builder.build()).stream().map(TensorSpec::name).toList();
    assertThat(names).doesNotHaveDuplicates().contains("lm_head.weight");
    assertThat(names).noneMatch(name -> name.contains("..") || name.endsWith("..weight"));
    assertThat(Arrays.asList(Architecture.values())).contains(architecture);
  }
}
