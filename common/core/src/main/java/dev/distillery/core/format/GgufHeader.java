package dev.distillery.core.format;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.AbstractList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * The header of a GGUF file, version 3 (version 2 has the same layout), read from its beginning:
 * the metadata first, and what follows it by whoever needs that. Every length is checked against
 * the bytes that are left, so that a lying one costs no more memory than the file is long.
 */
public final class GgufHeader {
  private static final int MAGIC = 0x46554747; // "GGUF", little-endian
  private static final int MAX_KEYS = 1 << 16;
  private static final int MAX_TENSORS = 1 << 18;
  private static final int MAX_NAME = 1 << 10;

  /** Most texts of one array; the largest vocabularies have a quarter of a million. */
  private static final int MAX_TEXTS = 1 << 23;

  /** Longest header: vocabularies of 256k tokens with their merges need some 30 MB. */
  private static final long MAX_HEADER = 512L << 20;

  private final Path file;
  private final ByteBuffer header;
  private final int tensors;
  private final GgufMetadata metadata;

  private GgufHeader(Path file, ByteBuffer header) throws ModelFileException {
    this.file = file;
    this.header = header;
    if (take(4, "the magic").getInt() != MAGIC) {
      throw wrong("it does not begin with GGUF");
    }
    int version = take(4, "the version").getInt();
    if (version != 3 && version != 2) {
      throw wrong("it has version " + Integer.toUnsignedString(version) + "; 2 and 3 are read");
    }
    this.tensors = count("the number of tensors", MAX_TENSORS);
    int keys = count("the number of metadata keys", MAX_KEYS);
    Map<String, Object> values = new HashMap<>();
    for (int i = 0; i < keys; i++) {
      String key = text("metadata key " + i, MAX_NAME);
      if (values.put(key, value(key, type(key))) != null) {
        throw wrong("metadata " + key + " is there twice");
      }
    }
    this.metadata = new GgufMetadata(file, values);
  }

  /**
   * Reads the metadata of a file.
   *
   * @throws ModelFileException where it is no such file, or is cut off; the message names it
   */
  public static GgufHeader read(Path file) throws IOException {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      long length = Math.min(channel.size(), MAX_HEADER);
      return new GgufHeader(
          file,
          channel.map(FileChannel.MapMode.READ_ONLY, 0, length).order(ByteOrder.LITTLE_ENDIAN));
    }
  }

  /** What the header says of the model. */
  public GgufMetadata metadata() {
    return metadata;
  }

  /** How many tensors the header describes behind the metadata. */
  public int tensors() {
    return tensors;
  }

  /** The first byte that has not been read. */
  public int position() {
    return header.position();
  }

  /**
   * Reads a name.
   *
   * @param what it is of, for an error
   */
  public String name(String what) throws ModelFileException {
    return text(what, MAX_NAME);
  }

  /**
   * Reads the next bytes, little-endian.
   *
   * @param what they are, for an error
   */
  public ByteBuffer take(int length, String what) throws ModelFileException {
    if (length > header.remaining()) {
      throw wrong("it ends inside " + what + ": it is truncated or its header lies");
    }
    ByteBuffer taken = header.slice(header.position(), length).order(header.order());
    header.position(header.position() + length);
    return taken;
  }

  /** An error that names the file. */
  public ModelFileException wrong(String problem) {
    return new ModelFileException(file, problem);
  }

  private int type(String key) throws ModelFileException {
    return take(4, "the type of metadata " + key).getInt();
  }

  private Object value(String key, int type) throws ModelFileException {
    if (type != 9) {
      return scalar(key, type);
    }
    int inner = type(key);
    if (inner == 9) {
      throw wrong("metadata " + key + " is an array of arrays, which nothing known has");
    }
    long length = take(8, "the length of metadata " + key).getLong();
    // Every value has at least one byte, so that this bounds what is allocated.
    if (length < 0 || length > header.remaining()) {
      throw wrong(
          "metadata %s has length %s, and %s bytes are left: it is truncated or its header lies"
              .formatted(key, Long.toUnsignedString(length), header.remaining()));
    }
    if (inner == 8) {
      return texts(key, length);
    }
    int start = header.position();
    for (long i = 0; i < length; i++) {
      scalar(key, inner);
    }
    int bytes = header.position() - start;
    var values = header.slice(start, bytes).order(header.order());
    return length == 0 ? List.of() : new Numbers(values, inner, bytes / (int) length);
  }

  private Texts texts(String key, long length) throws ModelFileException {
    if (length > MAX_TEXTS) {
      throw wrong("metadata " + key + " has " + length + " texts, more than " + MAX_TEXTS);
    }
    int start = header.position();
    for (long i = 0; i < length; i++) {
      skipText("metadata " + key);
    }
    return new Texts(header.slice(start, header.position() - start), (int) length);
  }

  /** Texts that stay in the header until they are asked for; their lengths are right. */
  record Texts(ByteBuffer bytes, int size) {}

  /**
   * Numbers or truth values that were all read once, and found to be such. They stay in the header
   * until they are asked for: as objects they take 20 times that.
   */
  private static final class Numbers extends AbstractList<Object> {
    private final ByteBuffer values;
    private final int type;
    private final int width;

    Numbers(ByteBuffer values, int type, int width) {
      this.values = values;
      this.type = type;
      this.width = width;
    }

    @Override
    public int size() {
      return values.limit() / width;
    }

    @Override
    public Object get(int index) {
      int at = Objects.checkIndex(index, size()) * width;
      return switch (type) {
        case 0 -> (long) Byte.toUnsignedInt(values.get(at));
        case 1 -> (long) values.get(at);
        case 2 -> (long) Short.toUnsignedInt(values.getShort(at));
        case 3 -> (long) values.getShort(at);
        case 4 -> Integer.toUnsignedLong(values.getInt(at));
        case 5 -> (long) values.getInt(at);
        case 6 -> (double) values.getFloat(at);
        case 7 -> values.get(at) == 1;
        case 12 -> values.getDouble(at);
        default -> values.getLong(at);
      };
    }
  }

  private Object scalar(String key, int type) throws ModelFileException {
    String what = "metadata " + key;
    return switch (type) {
      case 0 -> (long) Byte.toUnsignedInt(take(1, what).get());
      case 1 -> (long) take(1, what).get();
      case 2 -> (long) Short.toUnsignedInt(take(2, what).getShort());
      case 3 -> (long) take(2, what).getShort();
      case 4 -> Integer.toUnsignedLong(take(4, what).getInt());
      case 5 -> (long) take(4, what).getInt();
      case 6 -> (double) take(4, what).getFloat();
      case 7 -> bool(what);
      case 8 -> text(what, Integer.MAX_VALUE);
      case 10 -> {
        long value = take(8, what).getLong();
        if (value < 0) {
          throw wrong(what + " is " + Long.toUnsignedString(value) + ": too large");
        }
        yield value;
      }
      case 11 -> take(8, what).getLong();
      case 12 -> take(8, what).getDouble();
      default -> throw wrong(what + " has unknown type " + Integer.toUnsignedString(type));
    };
  }

  private boolean bool(String what) throws ModelFileException {
    byte value = take(1, what).get();
    if (value != 0 && value != 1) {
      throw wrong(what + " is neither false (0) nor true (1): " + value);
    }
    return value == 1;
  }

  private int count(String what, int max) throws ModelFileException {
    long value = take(8, what).getLong();
    if (value < 0 || value > max) {
      throw wrong(what + " is " + Long.toUnsignedString(value) + ", more than " + max);
    }
    return (int) value;
  }

  private String text(String what, int max) throws ModelFileException {
    return text(file, take(textLength(what, max), what), what);
  }

  private void skipText(String what) throws ModelFileException {
    int length = textLength(what, Integer.MAX_VALUE);
    header.position(header.position() + length);
  }

  private int textLength(String what, int max) throws ModelFileException {
    long length = take(8, "the length of " + what).getLong();
    if (length < 0 || length > max || length > header.remaining()) {
      throw wrong(
          "%s has a length of %s bytes, and %s are left: it is truncated or its header lies"
              .formatted(what, Long.toUnsignedString(length), header.remaining()));
    }
    return (int) length;
  }

  /** The text of all the bytes. */
  static String text(Path file, ByteBuffer bytes, String what) throws ModelFileException {
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(bytes).toString();
    } catch (CharacterCodingException e) {
      throw new ModelFileException(file, what + " is not UTF-8", e);
    }
  }
}
