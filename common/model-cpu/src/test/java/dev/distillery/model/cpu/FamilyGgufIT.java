package dev.distillery.model.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.distillery.core.teacher.testing.LlamaCppServer;
import dev.distillery.core.testing.PythonPackage;
import dev.distillery.model.format.ArrayWeights;
import dev.distillery.model.format.GgufWriter;
import dev.distillery.model.format.LayerShape.NormKind;
import dev.distillery.model.format.ModelConfig;
import dev.distillery.model.format.ModelTensors;
import dev.distillery.model.format.SpecialTokens;
import dev.distillery.model.format.TensorSpec;
import dev.distillery.model.format.TensorType;
import dev.distillery.model.format.WeightSource;
import dev.distillery.model.nn.Golden;
import dev.distillery.model.tokenizer.Tokenizer;
import dev.distillery.model.tokenizer.TokenizerWriter;
import dev.distillery.model.tokenizer.Tokenizers;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * GGUF files of each family, and in blocks of 256: llama.cpp writes on as the student does, and
 * gguf-py reads them.
 */
class FamilyGgufIT {
  private static final String GGUF_VERSION = "0.19.0";

  /** Names that gguf-py knows for the architecture, and sums that no order of rows changes. */
  private static final String READ =
      """
      import json, re, sys
      sys.path.insert(0, sys.argv[1])
      import gguf
      reader = gguf.GGUFReader(sys.argv[2])
      name = reader.fields["general.architecture"].contents()
      arch = next(a for a, n in gguf.MODEL_ARCH_NAMES.items() if n == name)
      known = {gguf.TENSOR_NAMES[t] for t in gguf.MODEL_TENSORS[arch]}
      out = {}
      for tensor in reader.tensors:
          base = re.sub(r"\\.(weight|bias)$", "", tensor.name)
          assert re.sub(r"\\d+", "{bid}", base, count=1) in known or base in known, tensor.name
          out[tensor.name] = float(tensor.data.astype("float64").sum())
      print("SUMS " + json.dumps(out))
      """;

  /** The type of each tensor and the hash of its values in float32. */
  private static final String DECODE =
      """
      import hashlib, sys
      sys.path.insert(0, sys.argv[1])
      import gguf
      for tensor in gguf.GGUFReader(sys.argv[2]).tensors:
          values = gguf.quants.dequantize(tensor.data, tensor.tensor_type)
          digest = hashlib.sha256(values.astype("<f4").tobytes()).hexdigest()
          print(tensor.tensor_type.name, digest)
      """;

  private static final int LENGTH = 24;

  @TempDir Path temp;

  private Path write(ModelConfig config, Tokenizer tokenizer, WeightSource weights)
      throws IOException {
    return write(config, tokenizer, weights, TensorType.F32);
  }

  private Path write(ModelConfig config, Tokenizer tokenizer, WeightSource weights, TensorType type)
      throws IOException {
    Path file = temp.resolve("model.gguf");
    GgufWriter.write(
        file,
        config,
        SpecialTokens.none(),
        TokenizerWriter.ggufMetadata(tokenizer, config.vocabSize(), Optional.empty()),
        weights,
        type);
    return file;
  }

  /** Prompts go beyond windows and beyond the context that YaRN stretches. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "qwen2",
        "qwen2-yarn",
        "llama-yarn",
        "qwen3",
        "mistral",
        "gemma3",
        "gemma3-yarn",
        "smollm3",
        "granite",
        "olmo2",
        "phi3"
      })
  void llamaCppWritesWhatTheStudentWrites(String family) throws IOException {
    Tokenizer tokenizer = Tokenizers.open(Golden.copy("tokenizer/gpt2.json", temp));
    ModelConfig config = FamilyModels.sayable(tokenizer.vocabSize()).get(family);
    Path file = write(config, tokenizer, FamilyModels.weights(config));
    // ggml's GELU on processors is a table of half floats.
    double margin = family.startsWith("gemma3") ? 0.02 : 1e-3;
    int compared = 0;
    try (LlamaCppServer oracle = LlamaCppServer.startInFloat32(file);
        LoadedStudent student = new LoadedStudent(file, tokenizer, false)) {
      for (int prompt = 0; prompt < 6; prompt++) {
        int[] ids = FamilyModels.tokens(prompt, 5 + 30 * prompt, config.vocabSize());
        int[] own = student.greedy(List.of(ids), LENGTH, List.of()).get(0).tokens();
        int sure = student.sure(ids, own, margin);
        compared += sure;
        assertThat(Arrays.copyOf(oracle.greedy(ids, LENGTH), sure))
            .as("after %d tokens", ids.length)
            .isEqualTo(Arrays.copyOf(own, sure));
      }
    }
    assertThat(compared).isGreaterThan(3 * LENGTH);
  }

  @Test
  void ggufPyReadsEveryFamily() throws IOException {
    Path library = PythonPackage.folder("gguf", "", GGUF_VERSION);
    Tokenizer tokenizer = Tokenizers.open(Golden.copy("tokenizer/gpt2.json", temp));
    Map<String, ModelConfig> models = FamilyModels.sayable(tokenizer.vocabSize());
    for (Map.Entry<String, ModelConfig> model : models.entrySet()) {
      ModelConfig config = model.getValue();
      WeightSource weights = FamilyModels.weights(config);
      JsonNode sums = sums(library, write(config, tokenizer, weights));
      assertThat(sums).as(model.getKey()).hasSize(weights.weights().size());
      assertThat(total(sums)).as(model.getKey()).isCloseTo(total(config, weights), within(1e-3));
    }
  }

  /** The rows of the feed-forward layer's second matrix are no whole blocks of 256. */
  @ParameterizedTest
  @CsvSource({"Q4_K, Q5_0", "Q5_K, Q5_1", "Q6_K, Q8_0"})
  void blocksOf256AreReadAlike(TensorType type, TensorType fallback) throws IOException {
    Path library = PythonPackage.folder("gguf", "", GGUF_VERSION);
    Tokenizer tokenizer = Tokenizers.open(Golden.copy("tokenizer/gpt2.json", temp));
    ModelConfig config =
        FamilyModels.sayable(tokenizer.vocabSize()).get("qwen2").toBuilder()
            .hiddenSize(256)
            .headDim(64)
            .layers(2)
            .build();
    ArrayWeights weights = FamilyModels.weights(config);
    TensorSpec head = weights.weights().get(ModelTensors.LM_HEAD).spec();
    float[] values = weights.read(ModelTensors.LM_HEAD);
    Arrays.fill(values, 0, head.columns(), 0); // The end of a text, which the server never writes.
    weights.put(head, values);
    Path file = write(config, tokenizer, weights, type);
    Map<TensorType, Integer> types = new EnumMap<>(TensorType.class);
    List<String> decoded = new ArrayList<>();
    for (String line : python(DECODE, library, file).lines().toList()) {
      int space = line.indexOf(' ');
      types.merge(TensorType.valueOf(line.substring(0, space)), 1, Integer::sum);
      decoded.add(line.substring(space + 1));
    }
    // Seven matrices a layer, two of them outside; three biases and two gains, one outside.
    assertThat(types).isEqualTo(Map.of(type, 14, fallback, 2, TensorType.F32, 11));
    try (LlamaCppServer oracle = LlamaCppServer.startInFloat32(file);
        LoadedStudent student = new LoadedStudent(file, tokenizer, false)) {
      List<String> own = new ArrayList<>();
      for (String name : student.files().weights().weights().keySet()) {
        own.add(hash(student.files().weights().read(name)));
      }
      assertThat(decoded).containsExactlyInAnyOrderElementsOf(own);
      for (int prompt = 0; prompt < 6; prompt++) {
        int[] ids = FamilyModels.tokens(prompt, 5 + 5 * prompt, config.vocabSize());
        // llama.cpp rounds activations to eight bits; the best logit is 5 to 8 above the mean.
        double gap = student.worstGap(ids, oracle.greedy(ids, LENGTH));
        assertThat(gap).isLessThanOrEqualTo(1);
      }
    }
  }

  private static String hash(float[] values) {
    ByteBuffer bytes = ByteBuffer.allocate(4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asFloatBuffer().put(values);
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes.array()));
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError(e);
    }
  }

  private static double total(JsonNode sums) {
    double total = 0;
    for (JsonNode sum : sums) {
      total += sum.doubleValue();
    }
    return total;
  }

  /** Gemma's gains have 1 added in the file, and its queries' the scale of scores too. */
  private static double total(ModelConfig config, WeightSource weights) throws IOException {
    boolean plusOne = config.architecture().shape().norm() == NormKind.RMS_PLUS_ONE;
    double fold = config.scales().attention() * Math.sqrt(config.headDim());
    double total = 0;
    for (String name : weights.weights().keySet()) {
      boolean gain = plusOne && name.endsWith("norm.weight");
      for (float value : weights.read(name)) {
        double scale = gain && name.endsWith("q_norm.weight") ? fold : 1;
        total += gain ? scale * (1.0 + value) : value;
      }
    }
    return total;
  }

  private static String python(String script, Path library, Path file) throws IOException {
    Process process =
        new ProcessBuilder("python3", "-c", script, library.toString(), file.toString())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    return new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
  }

  private static JsonNode sums(Path library, Path file) throws IOException {
    String out = python(READ, library, file);
    assertThat(out).startsWith("SUMS ");
    return new ObjectMapper().readTree(out.substring(5));
  }
}
