package dev.distillery.core.teacher;

import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;

/**
 * The scalar metadata at the head of a GGUF file (versions 2 and 3, as ggml's gguf.md describes
 * them). Read before the file is handed to native code, which is less kind to a file that is not
 * what it seems.
 */
final class GgufHead {
  private static final int MAGIC = 0x46554747; // "GGUF", little-endian
  private static final int MOST_ENTRIES = 1 << 16;
  private static final int LONGEST_STRING = 16 << 20;
  private static final long LONGEST_ARRAY = 1L << 26;

  /** Bytes of a value by GGUF's type number; 0 for strings and arrays. */
  private static final int[] SIZES = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};

  /** Names of byte-level tokenizers that llama.cpp puts a beginning before. */
  private static final Set<String> BEGINNING =
      Set.of(
          "llama-bpe",
          "llama3",
          "llama-v3",
          "falcon3",
          "falcon-h1",
          "pixtral",
          "midm-2.0",
          "lfm2",
          "tekken",
          "chameleon");

  private static final int FLOAT32 = 6;
  private static final int BOOL = 7;
  private static final int STRING = 8;
  private static final int ARRAY = 9;

  private final Map<String, Object> values;

  private GgufHead(Map<String, Object> values) {
    this.values = Map.copyOf(values);
  }

  /**
   * Reads the head of the file.
   *
   * @throws IllegalArgumentException where it is not such a file; the message names it
   */
  static GgufHead read(Path file) {
    try (var in = new DataInputStream(new BufferedInputStream(Files.newInputStream(file)))) {
      return read(in);
    } catch (EOFException e) {
      throw new IllegalArgumentException("The model file %s is cut off".formatted(file), e);
    } catch (IOException e) {
      throw new IllegalArgumentException(
          "The model file %s cannot be used: %s".formatted(file, e.getMessage()), e);
    }
  }

  private static GgufHead read(DataInputStream in) throws IOException {
    if (Integer.reverseBytes(in.readInt()) != MAGIC) {
      throw new IOException("it is not a GGUF file");
    }
    int version = Integer.reverseBytes(in.readInt());
    if (version != 2 && version != 3) {
      throw new IOException("GGUF version " + version + " is not known, only 2 and 3");
    }
    bounded(in, Long.MAX_VALUE, "tensors");
    long entries = bounded(in, MOST_ENTRIES, "metadata entries");
    var values = new HashMap<String, Object>();
    for (long i = 0; i < entries; i++) {
      String key = string(in);
      int type = Integer.reverseBytes(in.readInt());
      if (type == ARRAY) {
        skipArray(in);
      } else {
        values.put(key, value(in, type));
      }
    }
    return new GgufHead(values);
  }

  private static Object value(DataInputStream in, int type) throws IOException {
    if (type == STRING) {
      return string(in);
    }
    int size = size(type);
    long bits = 0;
    for (int i = 0; i < size; i++) {
      bits |= (long) in.readUnsignedByte() << (8 * i);
    }
    if (type == BOOL) {
      return bits != 0;
    }
    return type == FLOAT32 ? (Object) Float.intBitsToFloat((int) bits) : (Object) bits;
  }

  private static void skipArray(DataInputStream in) throws IOException {
    int type = Integer.reverseBytes(in.readInt());
    long length = bounded(in, LONGEST_ARRAY, "array elements");
    if (type == STRING) {
      for (long i = 0; i < length; i++) {
        skip(in, bounded(in, LONGEST_STRING, "bytes of a string"));
      }
    } else {
      skip(in, length * size(type));
    }
  }

  private static int size(int type) throws IOException {
    if (type < 0 || type >= SIZES.length || SIZES[type] == 0) {
      throw new IOException("its metadata has a value of unknown type " + type);
    }
    return SIZES[type];
  }

  private static String string(DataInputStream in) throws IOException {
    byte[] bytes = new byte[(int) bounded(in, LONGEST_STRING, "bytes of a string")];
    in.readFully(bytes);
    return new String(bytes, StandardCharsets.UTF_8);
  }

  private static long bounded(DataInputStream in, long most, String what) throws IOException {
    long found = Long.reverseBytes(in.readLong());
    if (found < 0 || found > most) {
      throw new IOException("it claims " + Long.toUnsignedString(found) + " " + what);
    }
    return found;
  }

  private static void skip(InputStream in, long bytes) throws IOException {
    in.skipNBytes(bytes);
  }

  /** The model's own name, or what it is built like. */
  String name() {
    return values.getOrDefault("general.name", architecture()).toString();
  }

  private String architecture() {
    return values.getOrDefault("general.architecture", "unknown").toString();
  }

  /** Most tokens the model was trained on at once; 0 where the file does not say. */
  int contextLength() {
    return values.get(architecture() + ".context_length") instanceof Long length
        ? (int) Math.min(length, Integer.MAX_VALUE)
        : 0;
  }

  /**
   * Whether llama.cpp puts a beginning-of-text token before a prompt: as the file says, else by its
   * tokenizer, as llama.cpp decides (SentencePiece and Llama 3 do, other byte-level ones do not).
   */
  boolean addsBeginToken() {
    if (values.get("tokenizer.ggml.add_bos_token") instanceof Boolean adds) {
      return adds;
    }
    return "llama".equals(values.get("tokenizer.ggml.model"))
        || BEGINNING.contains(values.getOrDefault("tokenizer.ggml.pre", "").toString());
  }

  /** The number of the beginning-of-text token; -1 where the file has none. */
  int beginToken() {
    return values.get("tokenizer.ggml.bos_token_id") instanceof Long id ? id.intValue() : -1;
  }

  /** The Jinja template of a dialogue; empty where the file has none. */
  String chatTemplate() {
    return values.getOrDefault("tokenizer.chat_template", "").toString();
  }
}
