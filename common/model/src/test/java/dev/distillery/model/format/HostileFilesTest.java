package dev.distillery.model.format;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import com.sun.management.ThreadMXBean;
import dev.distillery.core.format.ModelFileException;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.lifecycle.AfterContainer;
import net.jqwik.api.lifecycle.BeforeContainer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Files that lie are refused with a reason, whatever they say, without allocating what they say.
 */
class HostileFilesTest {
  @TempDir Path temp;

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "'{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}' | it is not JSON",
        "'[]' | it is not a JSON object",
        "'{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,4]}}' | tensor a:"
            + " data_offsets [0,4] is 4 bytes where dtype x shape is 8",
        "'{\"a\":{\"dtype\":\"F31\",\"shape\":[2],\"data_offsets\":[0,8]}}' | tensor a: dtype"
            + " \"F31\"",
        "'{\"a\":{\"dtype\":\"F32\",\"shape\":[-2],\"data_offsets\":[0,8]}}' | tensor a: shape"
            + " [-2]",
        "'{\"a\":{\"dtype\":\"F32\",\"shape\":[4294967296,4294967296],\"data_offsets\":[0,8]}}' |"
            + " is too large",
        "'{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[8,0]}}' | not [begin, end]",
        "'{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[4,12]}}' | overlap or leave a"
            + " hole",
        "'{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]},\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}'"
            + " | overlap or leave a hole",
        "'{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}' | its tensors end at"
            + " byte",
        "'{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]},\"a\":{}}' | Duplicate"
            + " field 'a'",
        "'{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8],\"x\":1}}' | x 1 is"
            + " unknown",
      })
  void aSafetensorsHeaderThatLiesIsRefused(String header, String message) throws IOException {
    byte[] text = header.getBytes(StandardCharsets.UTF_8);
    ByteBuffer bytes =
        ByteBuffer.allocate(8 + text.length + 8)
            .order(ByteOrder.LITTLE_ENDIAN)
            .putLong(text.length)
            .put(text);
    Path file = Files.write(temp.resolve("x.safetensors"), bytes.array());
    assertThatThrownBy(() -> SafetensorsFile.open(file))
        .isInstanceOf(ModelFileException.class)
        .hasMessageContaining("x.safetensors")
        .hasMessageContaining(message);
  }

  @Test
  void anAbsurdHeaderLengthIsRefusedUnread() throws IOException {
    for (long length : new long[] {0, 1, 9, Long.MAX_VALUE, -1, 1L << 40}) {
      byte[] bytes = ByteBuffer.allocate(16).order(ByteOrder.LITTLE_ENDIAN).putLong(length).array();
      Path file = Files.write(temp.resolve("x.safetensors"), bytes);
      assertThatThrownBy(() -> SafetensorsFile.open(file))
          .isInstanceOf(ModelFileException.class)
          .hasMessageContaining("header length is " + Long.toUnsignedString(length));
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "\"model_type\": \"llama\" | \"model_type\": \"mamba\" | field model_type should be one of"
            + " llama, qwen2",
        "\"vocab_size\": 32 | \"vocab_size\": 33 | has shape [32, 32], but config.json calls for"
            + " [33, 32]",
        "\"vocab_size\": 32 | \"vocab_size\": 4000000000 | field vocab_size should be an integer of"
            + " 32 bits, but is 4000000000",
        "\"hidden_size\": 32 | \"hidden_size\": \"32\" | field hidden_size should be an integer",
        "\"num_hidden_layers\": 2 | \"num_hidden_layers\": 3 | it has no tensor"
            + " model.layers.2.input_layernorm.weight",
        "\"num_hidden_layers\": 2 | \"num_hidden_layers\": 2000000000 | num_hidden_layers must be"
            + " in [1, 1024]",
        "\"num_attention_heads\": 4 | \"num_attention_heads\": 0 | num_attention_heads must be in",
        "\"hidden_act\": \"silu\" | \"hidden_act\": \"relu\" | field hidden_act should be silu,"
            + " gelu_new",
        "\"rope_type\": \"default\" | \"rope_type\": \"su\" | field rope_parameters.rope_type"
            + " should be default, linear, llama3 or yarn, but is \"su\"",
        "\"rope_theta\": 100000.0 | \"rope_theta\": 1e999 | rope_theta must be in",
        "\"vocab_size\": 32 | \"vocab_size\": 32, \"rope_theta\": 10000 | field rope_theta should"
            + " be the same as",
        "\"vocab_size\": 32 | \"vocab_size\": 32, \"quantization_config\": {} | quantised weights"
            + " are read from GGUF only",
        "\"use_cache\": true | \"use_cache\": | it is not JSON",
      })
  void aConfigThatDoesNotFitIsRefused(String from, String to, String message) throws IOException {
    Path source = GoldenFiles.path("llama-tied-bf16");
    String config = Files.readString(source.resolve("config.json"));
    assertThat(config).contains(from);
    Files.writeString(temp.resolve("config.json"), config.replace(from, to));
    Files.copy(source.resolve("model.safetensors"), temp.resolve("model.safetensors"));
    assertThatThrownBy(() -> ModelFiles.open(temp))
        .isInstanceOf(ModelFileException.class)
        .hasMessageContaining(message);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "../model-00001-of-00005.safetensors | the name of a .safetensors file beside the index",
        "model-00002-of-00005.safetensors | the file that holds this tensor",
        "model-00009-of-00005.safetensors | there is no such file",
      })
  void anIndexCannotPointElsewhere(String shard, String message) throws IOException {
    Path source = GoldenFiles.path("llama-sharded-f32");
    try (var files = Files.list(source)) {
      for (Path file : files.toList()) {
        Files.copy(file, temp.resolve(file.getFileName().toString()));
      }
    }
    Path index = temp.resolve("model.safetensors.index.json");
    String json = Files.readString(index);
    Files.writeString(index, json.replaceFirst("model-00001-of-00005.safetensors", shard));
    assertThatThrownBy(() -> ModelFiles.open(temp))
        .isInstanceOf(ModelFileException.class)
        .hasMessageContaining(message);
  }

  @Test
  void whatIsNoModelIsNamed() throws IOException {
    assertThatThrownBy(() -> ModelFiles.open(temp.resolve("nowhere")))
        .isInstanceOf(ModelFileException.class)
        .hasMessageContaining("no such file or directory");
    assertThatThrownBy(() -> ModelFiles.open(temp))
        .isInstanceOf(ModelFileException.class)
        .hasMessageContaining("config.json: there is no such file");
    Path text = Files.writeString(temp.resolve("model.txt"), "hello");
    assertThatThrownBy(() -> ModelFiles.open(text))
        .isInstanceOf(ModelFileException.class)
        .hasMessageContaining("neither a Hugging Face directory");
    Files.copy(
        GoldenFiles.path("llama-tied-bf16").resolve("config.json"), temp.resolve("config.json"));
    assertThatThrownBy(() -> ModelFiles.open(temp))
        .isInstanceOf(ModelFileException.class)
        .hasMessageContaining("neither model.safetensors nor");
  }

  @Test
  void anUnknownQuantisationIsNamed() throws IOException {
    byte[] bytes = Files.readAllBytes(GoldenFiles.path("llama-q8_0.gguf"));
    byte[] name = "token_embd.weight".getBytes(StandardCharsets.UTF_8);
    int at = new String(bytes, StandardCharsets.ISO_8859_1).indexOf("token_embd.weight");
    // After the name: number of dimensions, two dimensions, type.
    ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).putInt(at + name.length + 4 + 16, 10);
    Path file = Files.write(temp.resolve("q2.gguf"), bytes);
    assertThatThrownBy(() -> ModelFiles.open(file))
        .isInstanceOf(ModelFileException.class)
        .hasMessageContaining("tensor token_embd.weight has ggml type 10, which is not read");
  }

  /** A lie at a place: after {@code name} if there is one, else from the file's beginning. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "''                | 4  | 4 | it has version 4; 2 and 3 are read",
        "''                | 8  | 1152921504606846976 | the number of tensors is"
            + " 1152921504606846976, more than",
        "''                | 16 | 1152921504606846976 | the number of metadata keys is"
            + " 1152921504606846976, more than",
        "''                | 24 | 4611686018427387904 | metadata key 0 has a length of"
            + " 4611686018427387904 bytes",
        "token_embd.weight | 4  | 64 | overlaps another",
        "token_embd.weight | 12 | 16 | has shape [32, 32], but the metadata call for [16, 32]",
        "token_embd.weight | 4  | -1 | tensor token_embd.weight has dimension 18446744073709551615",
        "token_embd.weight | 24 | 9223372036854775776 | tensor token_embd.weight has offset"
            + " 9223372036854775776",
        "general.architecture | 0 | 99 | metadata general.architecture has unknown type 99",
      })
  void aGgufHeaderThatLiesIsRefused(String name, int offset, long lie, String message)
      throws IOException {
    byte[] bytes = Files.readAllBytes(GoldenFiles.path("llama-q8_0.gguf"));
    int at = new String(bytes, StandardCharsets.ISO_8859_1).indexOf(name) + name.length() + offset;
    ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).putLong(at, lie);
    Path file = Files.write(temp.resolve("lie.gguf"), bytes);
    long before = allocated();
    assertThatThrownBy(() -> ModelFiles.open(file))
        .isInstanceOf(ModelFileException.class)
        .hasMessageContaining("lie.gguf")
        .hasMessageContaining(message);
    assertThat(allocated() - before).isLessThan(16L << 20);
  }

  /** The second layer's tensors, where the metadata know of one layer only. */
  @Test
  void aGgufFileWithATensorTooManyIsRefused() throws IOException {
    String key = "llama.block_count";
    byte[] bytes = Files.readAllBytes(GoldenFiles.path("llama-q8_0.gguf"));
    int value = new String(bytes, StandardCharsets.ISO_8859_1).indexOf(key) + key.length() + 4;
    assertThat(bytes[value]).isEqualTo((byte) 2);
    bytes[value] = 1;
    Path file = Files.write(temp.resolve("more.gguf"), bytes);
    assertThatThrownBy(() -> ModelFiles.open(file))
        .isInstanceOf(ModelFileException.class)
        .hasMessageContaining("more.gguf")
        .hasMessageContaining("llama architecture has no place for its tensor blk.1.");
  }

  @Test
  void aGgufFileWithoutATensorIsRefused() throws IOException {
    String text =
        new String(
            Files.readAllBytes(GoldenFiles.path("llama-q8_0.gguf")), StandardCharsets.ISO_8859_1);
    assertThat(text).contains("blk.1.attn_k.weight");
    Path file =
        Files.writeString(
            temp.resolve("lacks.gguf"),
            text.replace("blk.1.attn_k.weight", "blk.1.attn_z.weight"),
            StandardCharsets.ISO_8859_1);
    assertThatThrownBy(() -> ModelFiles.open(file))
        .isInstanceOf(ModelFileException.class)
        .hasMessageContaining("lacks.gguf")
        .hasMessageContaining("it has no tensor blk.1.attn_k.weight");
  }

  /** Wherever it was cut off, a file is no model: never a shorter one. */
  @Test
  void aTruncatedFileIsRefused() throws IOException {
    byte[] gguf = Files.readAllBytes(GoldenFiles.path("llama-q8_0.gguf"));
    byte[] llama2c = Llama2cReaderTest.checkpoint(true);
    for (int eighth = 0; eighth < 8; eighth++) {
      for (byte[] whole : List.of(gguf, llama2c)) {
        byte[] cut = Arrays.copyOf(whole, whole.length * eighth / 8);
        Path file = Files.write(temp.resolve(whole == gguf ? "cut.gguf" : "cut.bin"), cut);
        assertThatThrownBy(() -> ModelFiles.open(file))
            .as("%d of %d bytes of %s", cut.length, whole.length, file.getFileName())
            .isInstanceOf(ModelFileException.class)
            .hasMessageContaining(file.getFileName().toString());
      }
    }
  }

  @Property(tries = 1500, seed = "20260801")
  void aMutatedFileIsReadOrRefused(@ForAll long seed, @ForAll @IntRange(max = 4) int kind)
      throws IOException {
    Path directory = Files.createDirectories(fuzzed.resolve("d"));
    Path target =
        switch (kind) {
          case 0 -> fuzzed.resolve("m.gguf");
          case 1 -> directory.resolve("model.safetensors");
          case 2 -> directory.resolve("config.json");
          case 3 -> fuzzed.resolve("m.bin");
          default -> directory.resolve("generation_config.json");
        };
    Path source = GoldenFiles.path("llama-tied-bf16");
    for (String name : List.of("config.json", "model.safetensors", "generation_config.json")) {
      Files.write(directory.resolve(name), Files.readAllBytes(source.resolve(name)));
    }
    byte[] original =
        switch (kind) {
          case 0 -> Files.readAllBytes(GoldenFiles.path("llama-q4_0.gguf"));
          case 3 -> Llama2cReaderTest.checkpoint(false);
          default -> Files.readAllBytes(target);
        };
    Files.write(target, mutate(original, new Random(seed)));
    long before = allocated();
    Throwable thrown = catchThrowable(() -> readAll(kind == 0 || kind == 3 ? target : directory));
    if (thrown != null) {
      assertThat(thrown).isInstanceOf(ModelFileException.class);
    }
    assertThat(allocated() - before).isLessThan(64L << 20);
  }

  private static Path fuzzed = Path.of("");

  @BeforeContainer
  static void makeDirectory() throws IOException {
    fuzzed = Files.createTempDirectory("fuzzed-models");
  }

  @AfterContainer
  static void removeDirectory() throws IOException {
    try (var paths = Files.walk(fuzzed)) {
      for (Path path : paths.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(path);
      }
    }
  }

  private static void readAll(Path path) throws IOException {
    try (ModelFiles model = ModelFiles.open(path)) {
      for (String name : model.weights().weights().keySet()) {
        long elements = model.weights().weights().get(name).spec().elements();
        // Whatever the header says is backed by bytes, so that this cannot be much.
        model.weights().read(name, 0, FloatBuffer.allocate(Math.toIntExact(elements)));
      }
    }
  }

  /** A few changes, most of them in the first part, where the header is. */
  private static byte[] mutate(byte[] original, Random random) {
    byte[] bytes = original.clone();
    int changes = 1 + random.nextInt(3);
    for (int i = 0; i < changes && bytes.length > 0; i++) {
      int reach = random.nextInt(4) == 0 ? bytes.length : Math.min(bytes.length, 1600);
      int at = random.nextInt(reach);
      switch (random.nextInt(5)) {
        case 0 -> bytes[at] ^= (byte) (1 << random.nextInt(8));
        case 1 -> bytes[at] = (byte) random.nextInt(256);
        case 2 -> {
          long[] absurd = {-1, Long.MAX_VALUE, 1L << 31, 1L << 40, Integer.MAX_VALUE, 0};
          if (at + 8 <= bytes.length) {
            ByteBuffer.wrap(bytes)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(at, absurd[random.nextInt(absurd.length)]);
          }
        }
        case 3 -> bytes[at] = (byte) ('0' + random.nextInt(10));
        default -> {
          if (random.nextInt(3) == 0) {
            bytes = Arrays.copyOf(bytes, at);
          }
        }
      }
    }
    return bytes;
  }

  private static long allocated() {
    return ((ThreadMXBean) ManagementFactory.getThreadMXBean()).getCurrentThreadAllocatedBytes();
  }
}
