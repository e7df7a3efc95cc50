package dev.distillery.model.nn;

import java.util.ArrayList;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Optional;
import java.util.function.Predicate;

/**
 * All weights of a student: those that are trained in one space, those that are frozen in another,
 * and frozen matrices that stay in the form of their file.
 *
 * @param trainable what the optimiser moves; gradients and moments have this space's layout
 * @param frozen what is only read, as float32
 * @param stored what is only read, as it lies in its file
 */
public record Parameters(ParameterSpace trainable, ParameterSpace frozen, StoredWeights stored)
    implements AutoCloseable {

  /** Zero weights for the slots, split by what is trained. */
  public static Parameters allocate(Kernels kernels, List<Slot> slots, Predicate<Slot> trainable) {
    List<Slot> trained = new ArrayList<>();
    List<Slot> frozen = new ArrayList<>();
    slots.forEach(slot -> (trainable.test(slot) ? trained : frozen).add(slot));
    return new Parameters(
        new ParameterSpace(kernels, trained),
        new ParameterSpace(kernels, frozen),
        StoredWeights.none());
  }

  /** The matrix of a slot, if the student has it as float32. */
  public Optional<Tensor> find(String slot) {
    return trainable.slot(slot).or(() -> frozen.slot(slot));
  }

  /** The matrix of a slot. */
  public Tensor get(String slot) {
    return find(slot)
        .orElseThrow(
            () ->
                new NoSuchElementException(
                    stored.slot(slot).isPresent()
                        ? "Weights " + slot + " stay in the form of their file"
                        : "The student has no weights " + slot));
  }

  /** The matrix that a model's file knows by this name, if the student has it as float32. */
  public Optional<Tensor> part(String name) {
    return trainable.part(name).or(() -> frozen.part(name));
  }

  /** All slots of float32, trainable ones first. */
  public List<Slot> slots() {
    List<Slot> slots = new ArrayList<>(trainable.slots());
    slots.addAll(frozen.slots());
    return slots;
  }

  @Override
  public void close() {
    trainable.close();
    frozen.close();
    stored.close();
  }
}
