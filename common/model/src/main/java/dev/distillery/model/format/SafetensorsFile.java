package dev.distillery.model.format;

import com.fasterxml.jackson.databind.JsonNode;
import dev.distillery.core.format.ModelFileException;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * One safetensors file: eight bytes of header length, a JSON header, the tensors. The header is
 * checked whole when the file is opened: types, shapes, and that the tensors cover the data without
 * hole or overlap.
 */
final class SafetensorsFile implements Closeable {
  /** Longest header that is read; the reference implementation has the same bound. */
  private static final long MAX_HEADER = 100_000_000;

  private static final int MAX_TENSORS = 1 << 18;
  private static final int MAX_DIMENSIONS = 8;
  private static final Map<String, Integer> OTHER_TYPES =
      Map.of(
          "BOOL", 1, "U8", 1, "I8", 1, "I16", 2, "U16", 2, "I32", 4, "U32", 4, "I64", 8, "U64", 8);
  private static final Set<String> FIELDS = Set.of("dtype", "shape", "data_offsets");

  /**
   * One tensor as the header has it.
   *
   * @param type its type's name: those of {@link TensorType}, and integers
   * @param offset of its first byte in the file
   */
  record Entry(String name, String type, List<Long> shape, long offset, long bytes) {}

  private final MappedFile file;
  private final Map<String, Entry> entries;

  private SafetensorsFile(MappedFile file, Map<String, Entry> entries) {
    this.file = file;
    this.entries = entries;
  }

  static SafetensorsFile open(Path path) throws IOException {
    MappedFile file = MappedFile.open(path);
    try {
      return new SafetensorsFile(file, readHeader(file));
    } catch (IOException | RuntimeException e) {
      file.close();
      throw e;
    }
  }

  MappedFile file() {
    return file;
  }

  Map<String, Entry> entries() {
    return Collections.unmodifiableMap(entries);
  }

  @Override
  public void close() {
    file.close();
  }

  private static Map<String, Entry> readHeader(MappedFile file) throws IOException {
    Path path = file.path();
    if (file.size() < 8) {
      throw new ModelFileException(path, "it has " + file.size() + " bytes: not safetensors");
    }
    long length = file.slice(0, 8).getLong();
    if (length < 2 || length > MAX_HEADER || length > file.size() - 8) {
      throw new ModelFileException(
          path,
          "its header length is "
              + Long.toUnsignedString(length)
              + " in a file of "
              + file.size()
              + " bytes: it is truncated or not safetensors");
    }
    byte[] header = new byte[(int) length];
    file.slice(8, header.length).get(header);
    JsonNode json = ModelJson.parse(path, header).node();
    if (json.size() > MAX_TENSORS) {
      throw new ModelFileException(
          path, "its header lists " + json.size() + " tensors, more than " + MAX_TENSORS);
    }
    Map<String, Entry> entries = new TreeMap<>();
    for (Map.Entry<String, JsonNode> field : json.properties()) {
      if (!field.getKey().equals("__metadata__")) {
        entries.put(field.getKey(), entry(path, field.getKey(), field.getValue(), 8 + length));
      }
    }
    checkCover(file, entries, 8 + length);
    return entries;
  }

  private static Entry entry(Path path, String name, JsonNode node, long dataStart)
      throws ModelFileException {
    for (Iterator<String> it = node.fieldNames(); it.hasNext(); ) {
      String field = it.next();
      if (!FIELDS.contains(field)) {
        throw wrong(path, name, field, "unknown", node);
      }
    }
    String type = node.path("dtype").asText();
    Integer width =
        TensorType.ofSafetensors(type)
            .map(TensorType::blockBytes)
            .orElseGet(() -> OTHER_TYPES.get(type));
    if (width == null) {
      throw wrong(
          path,
          name,
          "dtype",
          "one that is not known: only F64, F32, F16, BF16 and integers",
          node);
    }
    List<Long> shape = longs(path, name, node, "shape");
    if (shape.size() > MAX_DIMENSIONS) {
      throw wrong(path, name, "shape", "of more than " + MAX_DIMENSIONS + " dimensions", node);
    }
    List<Long> offsets = longs(path, name, node, "data_offsets");
    if (offsets.size() != 2 || offsets.get(0) > offsets.get(1)) {
      throw wrong(path, name, "data_offsets", "not [begin, end]", node);
    }
    long bytes = offsets.get(1) - offsets.get(0);
    long expected = width;
    try {
      for (long dimension : shape) {
        expected = Math.multiplyExact(expected, dimension);
      }
    } catch (ArithmeticException e) {
      throw wrong(path, name, "shape", "too large", node);
    }
    if (expected != bytes) {
      throw wrong(
          path, name, "data_offsets", bytes + " bytes where dtype x shape is " + expected, node);
    }
    if (offsets.get(1) > Long.MAX_VALUE - dataStart) {
      throw wrong(path, name, "data_offsets", "too large", node);
    }
    return new Entry(name, type, shape, dataStart + offsets.get(0), bytes);
  }

  private static List<Long> longs(Path path, String name, JsonNode node, String field)
      throws ModelFileException {
    JsonNode array = node.path(field);
    if (!array.isArray() || array.size() > 64) {
      throw wrong(path, name, field, "not a short list of whole numbers", node);
    }
    List<Long> values = new ArrayList<>();
    for (JsonNode value : array) {
      if (!value.isIntegralNumber() || !value.canConvertToLong() || value.longValue() < 0) {
        throw wrong(path, name, field, "not a list of whole numbers", node);
      }
      values.add(value.longValue());
    }
    return List.copyOf(values);
  }

  /** Tensors must follow each other without hole or overlap, to the end of the file. */
  private static void checkCover(MappedFile file, Map<String, Entry> entries, long dataStart)
      throws ModelFileException {
    List<Entry> ordered = new ArrayList<>(entries.values());
    ordered.sort(Comparator.comparingLong(Entry::offset).thenComparingLong(Entry::bytes));
    long end = dataStart;
    for (Entry entry : ordered) {
      if (entry.offset() != end) {
        throw new ModelFileException(
            file.path(),
            "tensor "
                + ModelJson.abbreviate(entry.name())
                + " begins at byte "
                + entry.offset()
                + " of the file where "
                + end
                + " is the next: tensors overlap or leave a hole");
      }
      end += entry.bytes();
    }
    if (end != file.size()) {
      throw new ModelFileException(
          file.path(),
          "its tensors end at byte " + end + " of " + file.size() + ": it is cut or damaged");
    }
  }

  private static ModelFileException wrong(
      Path path, String name, String field, String problem, JsonNode node) {
    return new ModelFileException(
        path,
        "tensor "
            + ModelJson.abbreviate(name)
            + ": "
            + field
            + " "
            + ModelJson.abbreviate(node.path(field).toString())
            + " is "
            + problem);
  }

  /** The header for tensors of this order. */
  static ByteBuffer header(List<TensorSpec> specs, TensorType type) throws IOException {
    var json = ModelJson.newObject();
    json.putObject("__metadata__").put("format", "pt");
    long at = 0;
    for (TensorSpec spec : specs) {
      var entry = json.putObject(spec.name());
      entry.put("dtype", type.name());
      spec.shape().forEach(entry.putArray("shape")::add);
      long end = at + type.bytes(spec.elements());
      entry.putArray("data_offsets").add(at).add(end);
      at = end;
    }
    byte[] text = ModelJson.bytes(json);
    int padded = (text.length + 7) / 8 * 8;
    ByteBuffer header =
        ByteBuffer.allocate(8 + padded).order(ByteOrder.LITTLE_ENDIAN).putLong(padded);
    header.put(text);
    while (header.hasRemaining()) {
      header.put((byte) ' ');
    }
    return header.flip();
  }
}
