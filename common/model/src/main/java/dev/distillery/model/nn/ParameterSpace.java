package dev.distillery.model.nn;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Values of named slots in one logical flat address space, cut into segments. A slot never crosses
 * a segment's end, and segments have no gaps, so address a is value a of all slots in order.
 * Gradients and optimiser moments are spaces of the same layout.
 */
public final class ParameterSpace implements AutoCloseable {
  private final List<Slot> slots;
  private final List<Tensor> segments = new ArrayList<>();
  private final Map<String, Tensor> bySlot = new HashMap<>();
  private final Map<String, Tensor> byPart = new HashMap<>();
  private final long size;

  /** A space of zeros. */
  public ParameterSpace(Kernels kernels, List<Slot> slots) {
    this(kernels, slots, Memory.MAX_VALUES);
  }

  ParameterSpace(Kernels kernels, List<Slot> slots, long maxSegment) {
    this.slots = List.copyOf(slots);
    this.size = slots.stream().mapToLong(Slot::size).sum();
    List<Slot> segment = new ArrayList<>();
    long filled = 0;
    for (Slot slot : slots) {
      if (slot.size() > maxSegment) {
        throw new IllegalArgumentException(
            "Tensor %s of %d x %d is larger than a segment of %d values"
                .formatted(slot.name(), slot.rows(), slot.columns(), maxSegment));
      }
      if (filled + slot.size() > maxSegment) {
        addSegment(kernels, segment, filled);
        segment.clear();
        filled = 0;
      }
      segment.add(slot);
      filled += slot.size();
    }
    if (filled > 0) {
      addSegment(kernels, segment, filled);
    }
  }

  private void addSegment(Kernels kernels, List<Slot> members, long values) {
    Memory memory = kernels.allocate(values);
    segments.add(new Tensor(memory, 0, 1, Math.toIntExact(values)));
    long offset = 0;
    for (Slot slot : members) {
      Tensor tensor = new Tensor(memory, offset, slot.rows(), slot.columns());
      bySlot.put(slot.name(), tensor);
      for (Slot.Part part : slot.parts()) {
        byPart.put(part.name(), tensor.rows(part.firstRow(), part.rows()));
      }
      offset += slot.size();
    }
  }

  /** The slots, in address order. */
  public List<Slot> slots() {
    return slots;
  }

  /** Number of values. */
  public long size() {
    return size;
  }

  /** The segments as row vectors, in address order. */
  public List<Tensor> segments() {
    return segments;
  }

  /** The matrix of a slot, if it is here. */
  public Optional<Tensor> slot(String name) {
    return Optional.ofNullable(bySlot.get(name));
  }

  /** The matrix that a model's file knows by this name, if it is here. */
  public Optional<Tensor> part(String name) {
    return Optional.ofNullable(byPart.get(name));
  }

  /** Copies the values at {@code [address, address + count)} into {@code into}, from 0. */
  public void read(long address, float[] into, int count) {
    transfer(address, count, (memory, at, done, n) -> memory.read(at, into, done, n));
  }

  /** Sets the values at {@code [address, address + count)} from {@code from}, from 0. */
  public void write(long address, float[] from, int count) {
    transfer(address, count, (memory, at, done, n) -> memory.write(at, from, done, n));
  }

  private interface Transfer {
    void accept(Memory memory, long at, int done, int count);
  }

  private void transfer(long address, int count, Transfer transfer) {
    if (address < 0 || count < 0 || address + count > size) {
      throw new IndexOutOfBoundsException(
          "Addresses %d to %d of a space of %d values".formatted(address, address + count, size));
    }
    long begin = 0;
    int done = 0;
    for (Tensor segment : segments) {
      long at = address + done - begin;
      if (done < count && at < segment.size()) {
        int n = (int) Math.min(count - done, segment.size() - at);
        transfer.accept(segment.memory(), at, done, n);
        done += n;
      }
      begin += segment.size();
    }
  }

  @Override
  public void close() {
    segments.forEach(s -> s.memory().close());
  }
}
