package dev.distillery.model.nn;

import dev.distillery.model.format.Activation;
import dev.distillery.model.format.ModelConfig;
import dev.distillery.model.format.ModelConfigBuilder;
import dev.distillery.model.format.RopeScaling;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import java.util.zip.ZipEntry;
import java.util.zip.ZipInputStream;

/**
 * The values of one file that make_decoder_goldens.py or make_training_goldens.py wrote, and the
 * models it describes.
 */
public final class Golden {
  /** Models with logits, gradients and 20 steps. */
  public static final List<String> MODELS =
      List.of("llama-gqa31-tied", "llama-gqa42-untied-bias", "llama3-rope", "gpt2");

  private final Map<String, double[]> arrays = new TreeMap<>();

  private Golden() {}

  /** Reads golden/decoder/{name}.npz. */
  public static Golden read(String name) {
    return read("decoder", name);
  }

  /** Reads golden/{directory}/{name}.npz. */
  public static Golden read(String directory, String name) {
    Golden golden = new Golden();
    String path = "/golden/" + directory + "/" + name + ".npz";
    try (InputStream file = Golden.class.getResourceAsStream(path);
        ZipInputStream zip = new ZipInputStream(file)) {
      for (ZipEntry entry = zip.getNextEntry(); entry != null; entry = zip.getNextEntry()) {
        String key = entry.getName().replaceFirst("\\.npy$", "");
        golden.arrays.put(key, values(ByteBuffer.wrap(zip.readAllBytes())));
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return golden;
  }

  /** Copies golden/{name} into a directory: where it is read from may be a jar. */
  public static Path copy(String name, Path directory) throws IOException {
    Path copy = directory.resolve(name.replace('/', '-'));
    try (InputStream file = Golden.class.getResourceAsStream("/golden/" + name)) {
      Files.copy(Objects.requireNonNull(file, name), copy, StandardCopyOption.REPLACE_EXISTING);
    }
    return copy;
  }

  /** The npy format, version 1: magic, header length, a Python dictionary, little-endian values. */
  private static double[] values(ByteBuffer npy) {
    npy.order(ByteOrder.LITTLE_ENDIAN);
    int headerLength = npy.getShort(8);
    byte[] text = new byte[headerLength];
    npy.get(10, text);
    String header = new String(text, StandardCharsets.ISO_8859_1);
    npy.position(10 + headerLength);
    String type = header.replaceFirst(".*'descr': '([^']+)'.*\\s*", "$1");
    int width = Integer.parseInt(type.substring(2));
    double[] values = new double[npy.remaining() / width];
    for (int i = 0; i < values.length; i++) {
      values[i] =
          switch (type) {
            case "<f4" -> npy.getFloat();
            case "<f8" -> npy.getDouble();
            case "<i8" -> npy.getLong();
            case "|u1" -> npy.get();
            default -> throw new IllegalArgumentException("Unexpected type " + type);
          };
    }
    return values;
  }

  /** An array by name. */
  public double[] get(String name) {
    double[] values = arrays.get(name);
    if (values == null) {
      throw new IllegalArgumentException("No golden array " + name + " among " + arrays.keySet());
    }
    return values;
  }

  /** An array of bytes by name. */
  public byte[] bytes(String name) {
    double[] values = get(name);
    byte[] bytes = new byte[values.length];
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] = (byte) values[i];
    }
    return bytes;
  }

  /** A single number by name. */
  public double scalar(String name) {
    return get(name)[0];
  }

  /** The names that begin with {@code prefix}, without it. */
  public List<String> names(String prefix) {
    return arrays.keySet().stream()
        .filter(k -> k.startsWith(prefix))
        .map(k -> k.substring(prefix.length()))
        .toList();
  }

  /** The sequences of a flat array of ids. */
  public List<int[]> sequences(String ids, String lengths) {
    int[] flat = Arrays.stream(get(ids)).mapToInt(v -> (int) v).toArray();
    List<int[]> sequences = new ArrayList<>();
    int at = 0;
    for (double length : get(lengths)) {
      sequences.add(Arrays.copyOfRange(flat, at, at + (int) length));
      at += (int) length;
    }
    return sequences;
  }

  /** The configuration that the script gave a model. */
  public static ModelConfig config(String name) {
    if (name.equals("gpt2")) {
      return ModelConfig.gpt2()
          .vocabSize(67)
          .hiddenSize(24)
          .layers(2)
          .heads(3)
          .maxPositions(32)
          .activation(Activation.GELU_TANH)
          .build();
    }
    ModelConfigBuilder llama =
        ModelConfig.llama()
            .vocabSize(67)
            .hiddenSize(24)
            .intermediateSize(40)
            .layers(2)
            .heads(3)
            .kvHeads(1)
            .maxPositions(128)
            .ropeTheta(100_000)
            .tieEmbeddings(true);
    return switch (name) {
      case "llama-gqa42-untied-bias" ->
          llama
              .hiddenSize(32)
              .heads(4)
              .kvHeads(2)
              .tieEmbeddings(false)
              .attentionBias(true)
              .mlpBias(true)
              .build();
      case "llama3-rope" ->
          llama
              .ropeTheta(10_000)
              .ropeScaling(Optional.of(new RopeScaling.Llama3(4, 1, 4, 64)))
              .build();
      case "score" -> llama.labels(1).build();
      default -> llama.build();
    };
  }

  /** Copies the arrays under {@code prefix} into the parameters of the same names. */
  public void load(String prefix, Parameters parameters) {
    for (String name : names(prefix)) {
      double[] values = get(prefix + name);
      float[] narrow = new float[values.length];
      for (int i = 0; i < narrow.length; i++) {
        narrow[i] = (float) values[i];
      }
      parameters.part(name).orElseThrow(() -> new AssertionError(name)).write(narrow);
    }
  }

  /** ||actual - expected|| / ||expected||, with an absolute floor of 1e-8 on the difference. */
  public static double relativeError(float[] actual, double[] expected) {
    double difference = 0;
    double norm = 0;
    for (int i = 0; i < expected.length; i++) {
      difference += (actual[i] - expected[i]) * (actual[i] - expected[i]);
      norm += expected[i] * expected[i];
    }
    return difference <= 1e-16 ? 0 : Math.sqrt(difference / norm);
  }

  /** The largest absolute difference. */
  public static double largestError(float[] actual, double[] expected) {
    double largest = 0;
    for (int i = 0; i < expected.length; i++) {
      largest = Math.max(largest, Math.abs(actual[i] - expected[i]));
    }
    return largest;
  }
}
