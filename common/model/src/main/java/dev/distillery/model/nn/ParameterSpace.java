package dev.distillery.model.nn;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.UnaryOperator;

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
  private final boolean owned;

  /** A space of zeros. */
  public ParameterSpace(Kernels kernels, List<Slot> slots) {
    this(kernels, slots, Memory.MAX_VALUES);
  }

  ParameterSpace(Kernels kernels, List<Slot> slots, long maxSegment) {
    this.slots = List.copyOf(slots);
    this.size = slots.stream().mapToLong(Slot::size).sum();
    this.owned = true;
    List<Slot> segment = new ArrayList<>();
    long filled = 0;
    for (Slot slot : slots) {
      if (slot.size() > maxSegment) {
        throw new IllegalArgumentException(
            "Tensor %s of %s x %s is larger than a segment of %s values"
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

  /** The slots from {@code from} to before {@code to} of another space, by other names. */
  private ParameterSpace(ParameterSpace whole, int from, int to, UnaryOperator<Slot> renamed) {
    this.slots = whole.slots.subList(from, to).stream().map(renamed).toList();
    this.size = slots.stream().mapToLong(Slot::size).sum();
    this.owned = false;
    for (int i = 0; i < slots.size(); i++) {
      add(slots.get(i), Objects.requireNonNull(whole.bySlot.get(whole.slots.get(from + i).name())));
    }
    long first = whole.slots.subList(0, from).stream().mapToLong(Slot::size).sum();
    long begin = 0;
    for (Tensor segment : whole.segments) {
      long start = Math.max(first, begin);
      long end = Math.min(first + size, begin + segment.size());
      if (start < end) {
        long offset = segment.offset() + start - begin;
        segments.add(new Tensor(segment.memory(), offset, 1, Math.toIntExact(end - start)));
      }
      begin += segment.size();
    }
  }

  /**
   * The values of two spaces in one of their own, those of the second behind the first's and known
   * by names that begin with {@code prefix}.
   */
  public static ParameterSpace joined(
      Kernels kernels, ParameterSpace first, String prefix, ParameterSpace second) {
    List<Slot> slots = new ArrayList<>(first.slots);
    second.slots.forEach(slot -> slots.add(slot.prefixed(prefix)));
    ParameterSpace joined = new ParameterSpace(kernels, slots);
    first.slots.forEach(slot -> joined.copy(kernels, slot.name(), first, slot));
    second.slots.forEach(slot -> joined.copy(kernels, prefix + slot.name(), second, slot));
    return joined;
  }

  private void copy(Kernels kernels, String to, ParameterSpace from, Slot slot) {
    kernels.copy(slot(to).orElseThrow(), from.slot(slot.name()).orElseThrow());
  }

  /**
   * Those slots of a space of {@link #joined} that have the prefix, without it: a view of the same
   * values, whose {@link #close} frees nothing.
   */
  public ParameterSpace within(String prefix) {
    return new ParameterSpace(
        this, before(prefix), slots.size(), slot -> slot.unprefixed(prefix.length()));
  }

  /** Those that have not, as {@link #within}; all of a space that was not joined. */
  public ParameterSpace without(String prefix) {
    return new ParameterSpace(this, 0, before(prefix), slot -> slot);
  }

  private int before(String prefix) {
    int count = 0;
    while (count < slots.size() && !slots.get(count).name().startsWith(prefix)) {
      count++;
    }
    return count;
  }

  private void addSegment(Kernels kernels, List<Slot> members, long values) {
    Memory memory = kernels.allocate(values);
    segments.add(new Tensor(memory, 0, 1, Math.toIntExact(values)));
    long offset = 0;
    for (Slot slot : members) {
      add(slot, new Tensor(memory, offset, slot.rows(), slot.columns()));
      offset += slot.size();
    }
  }

  private void add(Slot slot, Tensor tensor) {
    bySlot.put(slot.name(), tensor);
    for (Slot.Part part : slot.parts()) {
      byPart.put(part.name(), tensor.rows(part.firstRow(), part.rows()));
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
          "Addresses %s to %s of a space of %s values".formatted(address, address + count, size));
    }
    long begin = 0;
    int done = 0;
    for (Tensor segment : segments) {
      long at = address + done - begin;
      if (done < count && at < segment.size()) {
        int n = (int) Math.min(count - done, segment.size() - at);
        transfer.accept(segment.memory(), segment.offset() + at, done, n);
        done += n;
      }
      begin += segment.size();
    }
  }

  @Override
  public void close() {
    if (owned) {
      segments.forEach(s -> s.memory().close());
    }
  }
}
