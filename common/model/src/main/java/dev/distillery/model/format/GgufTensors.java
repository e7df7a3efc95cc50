package dev.distillery.model.format;

import dev.distillery.core.format.GgufHeader;
import dev.distillery.core.format.GgufMetadata;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The table of tensors of a GGUF file, behind its {@link GgufHeader metadata}. What the tensors
 * mean is {@link GgufModel}'s affair.
 */
final class GgufTensors {
  private static final int MAX_ALIGNMENT = 1 << 20;
  private static final long MAX_ELEMENTS = 1L << 40;

  /**
   * One tensor as the header has it.
   *
   * @param shape outermost dimension first: the reverse of the file's
   * @param offset of its first byte in the file
   */
  record Entry(String name, TensorType type, List<Integer> shape, long offset) {}

  private final MappedFile file;
  private final GgufHeader header;

  private GgufTensors(MappedFile file, GgufHeader header) {
    this.file = file;
    this.header = header;
  }

  static ModelFiles open(Path path) throws IOException {
    MappedFile file = MappedFile.open(path);
    try {
      GgufHeader header = GgufHeader.read(path);
      return GgufModel.bind(file, header.metadata(), new GgufTensors(file, header).entries());
    } catch (IOException | RuntimeException e) {
      file.close();
      throw e;
    }
  }

  private Map<String, Entry> entries() throws IOException {
    GgufMetadata metadata = header.metadata();
    int alignment = metadata.integer("general.alignment", 32);
    if (alignment < 1 || alignment > MAX_ALIGNMENT || Integer.bitCount(alignment) != 1) {
      throw metadata.wrong("general.alignment", "a power of two up to " + MAX_ALIGNMENT);
    }
    Map<String, Entry> relative = new LinkedHashMap<>();
    for (int i = 0; i < header.tensors(); i++) {
      Entry entry = entry("tensor " + i, alignment);
      if (relative.put(entry.name(), entry) != null) {
        throw header.wrong("tensor " + entry.name() + " is there twice");
      }
    }
    long dataStart = (header.position() + (long) alignment - 1) / alignment * alignment;
    Map<String, Entry> entries = new HashMap<>();
    List<Entry> ordered = new ArrayList<>(relative.values());
    ordered.sort(Comparator.comparingLong(Entry::offset));
    long end = 0;
    for (Entry entry : ordered) {
      if (entry.offset() < end) {
        throw header.wrong(
            "tensor " + entry.name() + " overlaps another, at offset " + entry.offset());
      }
      long bytes = entry.type().bytes(new TensorSpec(entry.name(), entry.shape()).elements());
      end = entry.offset() + bytes;
      if (end > file.size() - dataStart) {
        throw header.wrong(
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
    String name = header.name("the name of " + what);
    int dimensions = header.take(4, "the dimensions of tensor " + name).getInt();
    if (dimensions < 1 || dimensions > 4) {
      throw header.wrong(
          "tensor " + name + " has " + Integer.toUnsignedString(dimensions) + " dimensions");
    }
    List<Integer> shape = new ArrayList<>();
    long elements = 1;
    for (int i = 0; i < dimensions; i++) {
      long dimension = header.take(8, "the shape of tensor " + name).getLong();
      boolean fits =
          dimension >= 1 && dimension <= Integer.MAX_VALUE && dimension <= MAX_ELEMENTS / elements;
      if (!fits) {
        throw header.wrong(
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
    long id = Integer.toUnsignedLong(header.take(4, "the type of tensor " + name).getInt());
    TensorType type =
        TensorType.ofGgml(id)
            .orElseThrow(
                () ->
                    header.wrong(
                        "tensor "
                            + name
                            + " has ggml type "
                            + id
                            + ", which is not read; requantise it to Q4_K, Q8_0 or F16"));
    if (shape.get(shape.size() - 1) % type.blockValues() != 0) {
      throw header.wrong(
          "tensor "
              + name
              + " has rows of "
              + shape.get(shape.size() - 1)
              + ", not whole blocks of "
              + type);
    }
    long offset = header.take(8, "the offset of tensor " + name).getLong();
    if (offset < 0 || offset > file.size() || offset % alignment != 0) {
      throw header.wrong("tensor " + name + " has offset " + Long.toUnsignedString(offset));
    }
    return new Entry(name, type, List.copyOf(shape), offset);
  }
}
