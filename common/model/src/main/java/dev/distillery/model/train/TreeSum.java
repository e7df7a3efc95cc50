package dev.distillery.model.train;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.BinaryOperator;

/**
 * The sum of numbered leaves as one binary tree, the same whoever adds which of them, and in
 * whatever order they come. Floating-point addition depends on its grouping; here the grouping is a
 * function of the number of leaves alone.
 *
 * <p>Block j of level l is the leaves [j 2^l, (j + 1) 2^l). Its sum is that of block 2j of the
 * level below plus that of block 2j + 1, or the former alone where the latter begins beyond the
 * last leaf.
 *
 * @param <T> what is added
 */
public final class TreeSum<T> {
  /**
   * The sum of one block.
   *
   * @param level its leaves are 2^level, but for the last block of a level
   * @param index of the block among those of its level
   */
  public record Block<T>(int level, int index, T sum) {}

  private final int leaves;
  private final BinaryOperator<T> plus;
  private final Map<Long, Block<T>> waiting = new TreeMap<>();

  /**
   * An empty sum.
   *
   * @param leaves how many there are in all, at least 1
   * @param plus adds two blocks; may change and return its first argument
   */
  public TreeSum(int leaves, BinaryOperator<T> plus) {
    if (leaves < 1) {
      throw new IllegalArgumentException("A sum needs a leaf, and has " + leaves);
    }
    this.leaves = leaves;
    this.plus = plus;
  }

  /** Adds a leaf. */
  public void add(int leaf, T value) {
    add(new Block<>(0, leaf, value));
  }

  /** Adds a block that somebody else has summed. */
  public void add(Block<T> block) {
    Block<T> now = block;
    while (!whole(now)) {
      boolean first = now.index() % 2 == 0;
      int sibling = first ? now.index() + 1 : now.index() - 1;
      T sum = now.sum();
      if ((long) sibling << now.level() < leaves) {
        Block<T> other = waiting.remove(key(now.level(), sibling));
        if (other == null) {
          if (waiting.put(key(now.level(), now.index()), now) != null) {
            throw new IllegalStateException("Block " + now.index() + " was added twice");
          }
          return;
        }
        sum = first ? plus.apply(sum, other.sum()) : plus.apply(other.sum(), sum);
      }
      now = new Block<>(now.level() + 1, now.index() / 2, sum);
    }
    waiting.put(key(now.level(), now.index()), now);
  }

  /** The sum of all leaves, once all have been added. */
  public Optional<T> total() {
    return waiting.values().stream().filter(this::whole).map(Block::sum).findAny();
  }

  /** What has been added so far, in as few blocks as there can be. */
  public List<Block<T>> blocks() {
    return new ArrayList<>(waiting.values());
  }

  private boolean whole(Block<T> block) {
    return 1L << block.level() >= leaves;
  }

  private static long key(int level, int index) {
    return (long) level << 32 | index;
  }
}
