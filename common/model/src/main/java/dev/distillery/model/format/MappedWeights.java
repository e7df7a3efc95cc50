package dev.distillery.model.format;

import dev.distillery.core.format.ModelFileException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/** Tensors that lie in mapped files. */
final class MappedWeights implements WeightSource {
  /**
   * Where a tensor lies.
   *
   * @param pairedHeads 0 where the file holds the rows in Hugging Face's order; else the number of
   *     heads whose rows stand in rotary pairs: Hugging Face's row c d/2 + j of a head of d rows is
   *     the file's row 2 j + c
   * @param added what the file has added to every value; 0 of all but plain numbers
   */
  record Place(MappedFile file, long offset, int pairedHeads, float added) {}

  private final List<MappedFile> files;
  private final SortedMap<String, Weight> weights = new TreeMap<>();
  private final Map<String, Place> places = new HashMap<>();

  MappedWeights(List<MappedFile> files) {
    this.files = List.copyOf(files);
  }

  void add(Weight weight, Place place) {
    weights.put(weight.spec().name(), weight);
    places.put(weight.spec().name(), place);
  }

  @Override
  public SortedMap<String, Weight> weights() {
    return Collections.unmodifiableSortedMap(weights);
  }

  @Override
  public void read(String name, long start, FloatBuffer into) throws IOException {
    Weight weight = weight(name);
    TensorSpec spec = weight.spec();
    if (start < 0 || start > spec.elements() - into.remaining()) {
      throw new IndexOutOfBoundsException(
          "Values " + start + " + " + into.remaining() + " of " + name + " " + spec.shape());
    }
    int columns = unit(weight);
    long at = start;
    while (into.hasRemaining()) {
      long row = at / columns;
      int column = (int) (at % columns);
      // Rows that stand in order are read together, as many as one slice holds.
      int run = place(name).pairedHeads() == 0 ? into.remaining() : columns - column;
      int count = Math.min(Math.min(run, into.remaining()), 1 << 24);
      decode(weight, fileRow(weight, row) * columns + column, count, into);
      at += count;
    }
  }

  /** Decodes values that lie in order in the file, whole blocks and the ends of cut ones. */
  private void decode(Weight weight, long start, int count, FloatBuffer into) throws IOException {
    TensorType type = weight.type();
    int block = type.blockValues();
    long firstBlock = start / block;
    int skip = (int) (start % block);
    int blocks = (int) ((skip + (long) count + block - 1) / block);
    ByteBuffer source =
        bytes(weight, type.bytes(firstBlock * block), type.bytes((long) blocks * block));
    if (skip == 0 && count % block == 0) {
      FloatBuffer target = into.slice(into.position(), count);
      BlockCodec.decode(type, source, 0, target);
      into.position(into.position() + count);
    } else {
      FloatBuffer whole = FloatBuffer.allocate(blocks * block);
      BlockCodec.decode(type, source, 0, whole);
      into.put(whole.array(), skip, count);
    }
    float added = place(weight.spec().name()).added();
    for (int i = into.position() - count; added != 0 && i < into.position(); i++) {
      into.put(i, into.get(i) - added);
    }
  }

  @Override
  public ByteBuffer rows(String name, int firstRow, int count) throws IOException {
    Weight weight = weight(name);
    TensorSpec spec = weight.spec();
    if (firstRow < 0 || count < 0 || firstRow > spec.rows() - count) {
      throw new IndexOutOfBoundsException(
          "Rows " + firstRow + " + " + count + " of " + name + " " + spec.shape());
    }
    if (place(name).added() != 0) {
      throw new ModelFileException("Tensor " + name + " is not stored as it is read");
    }
    long rowBytes = weight.type().bytes(spec.columns());
    if (place(name).pairedHeads() == 0) {
      return bytes(weight, firstRow * rowBytes, count * rowBytes);
    }
    ByteBuffer copy = ByteBuffer.allocate(Math.toIntExact(count * rowBytes));
    long unitBytes = weight.type().bytes(unit(weight));
    int first = firstRow * (spec.columns() / unit(weight));
    for (int i = 0; copy.hasRemaining(); i++) {
      copy.put(bytes(weight, fileRow(weight, first + i) * unitBytes, unitBytes));
    }
    return copy.flip().asReadOnlyBuffer().order(ByteOrder.LITTLE_ENDIAN);
  }

  private ByteBuffer bytes(Weight weight, long offset, long length) throws IOException {
    Place place = place(weight.spec().name());
    return place.file().slice(place.offset() + offset, Math.toIntExact(length));
  }

  /** What is moved as a whole: a row; a single value of a paired projection's bias. */
  private int unit(Weight weight) {
    TensorSpec spec = weight.spec();
    boolean pairedBias = spec.shape().size() == 1 && place(spec.name()).pairedHeads() > 0;
    return pairedBias ? 1 : spec.columns();
  }

  private long fileRow(Weight weight, long row) {
    int heads = place(weight.spec().name()).pairedHeads();
    if (heads == 0) {
      return row;
    }
    int width = weight.spec().shape().get(0) / heads;
    long within = row % width;
    return row - within + 2 * (within % (width / 2)) + within / (width / 2);
  }

  private Weight weight(String name) throws ModelFileException {
    Weight weight = weights.get(name);
    if (weight == null) {
      throw new ModelFileException("Tensor " + name + " is not in the model");
    }
    return weight;
  }

  private Place place(String name) {
    Place place = places.get(name);
    if (place == null) {
      throw new IllegalStateException("Tensor " + name + " has no place");
    }
    return place;
  }

  @Override
  public void close() {
    files.forEach(MappedFile::close);
  }
}
