package dev.distillery.model.format;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.AbstractList;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * The container of a GGUF file, version 3 (version 2 has the same layout): metadata and the table
 * of tensors. What the tensors mean is {@link GgufModel}'s affair. The header is read with every
 * length checked against the bytes that are left, so that a lying one costs no more memory than the
 * file is long.
 */
final class GgufReader {
  private static final int MAX_KEYS = 1 << 16;
  private static final int MAX_TENSORS = 1 << 18;
  private static final int MAX_NAME = 1 << 10;
  private static final int MAX_ALIGNMENT = 1 << 20;
  private static final long MAX_ELEMENTS = 1L << 40;

  /** Most texts of one array; the largest vocabularies have a quarter of a million. */
  private static final int MAX_TEXTS = 1 << 23;

  /** Longest header: vocabularies of 256k tokens with their merges need some 30 MB. */
  private static final long MAX_HEADER = 512L << 20;

  /**
   * One tensor as the header has it.
   *
   * @param shape outermost dimension first: the reverse of the file's
   * @param offset of its first byte in the file
   */
  record Entry(String name, TensorType type, List<Integer> shape, long offset) {}

  private final MappedFile file;
  private final ByteBuffer header;

  private GgufReader(MappedFile file) throws ModelFileException {
    this.file = file;
    this.header = file.slice(0, (int) Math.min(file.size(), MAX_HEADER));
  }

  static ModelFiles open(Path path) throws IOException {
    MappedFile file = MappedFile.open(path);
    try {
      return new GgufReader(file).read();
    } catch (IOException | RuntimeException e) {
      file.close();
      throw e;
    }
  }

  private ModelFiles read() throws IOException {
    if (!bytesAsText(take(4, "the magic"), "the magic").equals("GGUF")) {
      throw wrong("it does not begin with GGUF");
    }
    int version = take(4, "the version").getInt();
    if (version != 3 && version != 2) {
      throw wrong("it has version " + Integer.toUnsignedString(version) + "; 2 and 3 are read");
    }
    long tensors = count("the number of tensors", MAX_TENSORS);
    long keys = count("the number of metadata keys", MAX_KEYS);
    Map<String, Object> values = new HashMap<>();
    for (long i = 0; i < keys; i++) {
      String key = text("metadata key " + i, MAX_NAME);
      if (values.put(key, value(key, type(key))) != null) {
        throw wrong("metadata " + key + " is there twice");
      }
    }
    GgufMetadata metadata = new GgufMetadata(file.path(), values);
    Map<String, Entry> entries = entries(tensors, metadata);
    return GgufModel.bind(file, metadata, entries);
  }

  private Map<String, Entry> entries(long count, GgufMetadata metadata) throws IOException {
    int alignment = metadata.integer("general.alignment", 32);
    if (alignment < 1 || alignment > MAX_ALIGNMENT || Integer.bitCount(alignment) != 1) {
      throw metadata.wrong("general.alignment", "a power of two up to " + MAX_ALIGNMENT);
    }
    Map<String, Entry> relative = new LinkedHashMap<>();
    for (long i = 0; i < count; i++) {
      Entry entry = entry("tensor " + i, alignment);
      if (relative.put(entry.name(), entry) != null) {
        throw wrong("tensor " + entry.name() + " is there twice");
      }
    }
    long dataStart = (header.position() + (long) alignment - 1) / alignment * alignment;
    Map<String, Entry> entries = new HashMap<>();
    List<Entry> ordered = new ArrayList<>(relative.values());
    ordered.sort(Comparator.comparingLong(Entry::offset));
    long end = 0;
    for (Entry entry : ordered) {
      if (entry.offset() < end) {
        throw wrong("tensor " + entry.name() + " overlaps another, at offset " + entry.offset());
      }
      long bytes = entry.type().bytes(new TensorSpec(entry.name(), entry.shape()).elements());
      end = entry.offset() + bytes;
      if (end > file.size() - dataStart) {
        throw wrong(
            "tensor "
                + entry.name()
                + " would end at byte "
                + (dataStart + end)
                + " of "
                + file.size()
                + ": the file is truncated or its header lies");
      }
      entries.put(
          entry.name(),
          new Entry(entry.name(), entry.type(), entry.shape(), dataStart + entry.offset()));
    }
    return entries;
  }

  private Entry entry(String what, int alignment) throws IOException {
    String name = text("the name of " + what, MAX_NAME);
    int dimensions = take(4, "the dimensions of tensor " + name).getInt();
    if (dimensions < 1 || dimensions > 4) {
      throw wrong(
          "tensor " + name + " has " + Integer.toUnsignedString(dimensions) + " dimensions");
    }
    List<Integer> shape = new ArrayList<>();
    long elements = 1;
    for (int i = 0; i < dimensions; i++) {
      long dimension = take(8, "the shape of tensor " + name).getLong();
      boolean fits =
          dimension >= 1 && dimension <= Integer.MAX_VALUE && dimension <= MAX_ELEMENTS / elements;
      if (!fits) {
        throw wrong(
            "tensor "
                + name
                + " has dimension "
                + Long.toUnsignedString(dimension)
                + ": too large");
      }
      elements *= dimension;
      shape.add((int) dimension);
    }
    Collections.reverse(shape);
    long id = Integer.toUnsignedLong(take(4, "the type of tensor " + name).getInt());
    TensorType type =
        TensorType.ofGgml(id)
            .orElseThrow(
                () ->
                    wrong(
                        "tensor "
                            + name
                            + " has ggml type "
                            + id
                            + ", which is not read; requantise it to Q4_K, Q8_0 or F16"));
    if (shape.get(shape.size() - 1) % type.blockValues() != 0) {
      throw wrong(
          "tensor "
              + name
              + " has rows of "
              + shape.get(shape.size() - 1)
              + ", not whole blocks of "
              + type);
    }
    long offset = take(8, "the offset of tensor " + name).getLong();
    if (offset < 0 || offset > file.size() || offset % alignment != 0) {
      throw wrong("tensor " + name + " has offset " + Long.toUnsignedString(offset));
    }
    return new Entry(name, type, List.copyOf(shape), offset);
  }

  private int type(String key) throws ModelFileException {
    return take(4, "the type of metadata " + key).getInt();
  }

  private Object value(String key, int type) throws IOException {
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
      throw wrong("metadata " + key + " has length " + Long.toUnsignedString(length));
    }
    if (inner != 8) {
      return numbers(key, inner, length);
    }
    if (length > MAX_TEXTS) {
      throw wrong("metadata " + key + " has " + length + " texts, more than " + MAX_TEXTS);
    }
    List<Object> values = new ArrayList<>();
    for (long i = 0; i < length; i++) {
      values.add(scalar(key, inner));
    }
    return Collections.unmodifiableList(values);
  }

  /**
   * Values that stay in the header until they are asked for: as objects they take 20 times that.
   */
  private List<Object> numbers(String key, int type, long length) throws IOException {
    int start = header.position();
    for (long i = 0; i < length; i++) {
      scalar(key, type);
    }
    int bytes = header.position() - start;
    var values = header.slice(start, bytes).order(header.order());
    return length == 0 ? List.of() : new Numbers(values, type, bytes / (int) length);
  }

  /** Numbers or truth values that were all read once, and found to be such. */
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

  private Object scalar(String key, int type) throws IOException {
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

  private long count(String what, int max) throws ModelFileException {
    long value = take(8, what).getLong();
    if (value < 0 || value > max) {
      throw wrong(what + " is " + Long.toUnsignedString(value) + ", more than " + max);
    }
    return value;
  }

  private String text(String what, int max) throws IOException {
    long length = take(8, "the length of " + what).getLong();
    if (length < 0 || length > max || length > header.remaining()) {
      throw wrong(what + " has a length of " + Long.toUnsignedString(length) + " bytes");
    }
    return bytesAsText(take((int) length, what), what);
  }

  private String bytesAsText(ByteBuffer bytes, String what) throws ModelFileException {
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(bytes).toString();
    } catch (CharacterCodingException e) {
      throw new ModelFileException(file.path(), what + " is not UTF-8", e);
    }
  }

  /** The next bytes of the header. */
  private ByteBuffer take(int length, String what) throws ModelFileException {
    if (length > header.remaining()) {
      throw wrong("it ends inside " + what + ": it is truncated or its header lies");
    }
    ByteBuffer taken = header.slice(header.position(), length).order(header.order());
    header.position(header.position() + length);
    return taken;
  }

  private ModelFileException wrong(String problem) {
    return new ModelFileException(file.path(), problem);
  }
}
