package dev.distillery.model.constrain;

import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Byte strings by their beginnings. Node 0 is the root; the entries under a node lie side by side,
 * those that end there first. Immutable.
 */
final class ByteTrie {
  private final int[] order;
  private final byte[] labels;
  private final int[] edges;
  private final int[] from;
  private final int[] own;
  private final int[] to;
  private final int nodes;

  ByteTrie(List<byte[]> entries) {
    this.order =
        IntStream.range(0, entries.size())
            .boxed()
            .sorted((a, b) -> Arrays.compareUnsigned(entries.get(a), entries.get(b)))
            .mapToInt(i -> i)
            .toArray();
    int most = 1 + entries.stream().mapToInt(entry -> entry.length).sum();
    this.labels = new byte[most];
    this.edges = new int[most + 1];
    this.from = new int[most];
    this.own = new int[most];
    this.to = new int[most];
    int[] depth = new int[most];
    to[0] = order.length;
    int count = 1;
    // Breadth first: a node's children are numbered one after the other.
    for (int node = 0; node < count; node++) {
      int at = from[node];
      while (at < to[node] && entries.get(order[at]).length == depth[node]) {
        at++;
      }
      own[node] = at;
      edges[node] = count;
      while (at < to[node]) {
        byte label = entries.get(order[at])[depth[node]];
        from[count] = at;
        depth[count] = depth[node] + 1;
        labels[count] = label;
        while (at < to[node] && entries.get(order[at])[depth[node]] == label) {
          at++;
        }
        to[count++] = at;
      }
    }
    this.nodes = count;
    edges[nodes] = nodes;
  }

  /** A node's first child; the others follow on it. */
  int firstChild(int node) {
    return edges[node];
  }

  /** The node behind a node's last child. */
  int endOfChildren(int node) {
    return edges[node + 1];
  }

  /** The last byte of a node that is not the root, 0 to 255. */
  int label(int node) {
    return labels[node] & 0xFF;
  }

  /** The child behind a byte, or -1. */
  int child(int node, int b) {
    int low = edges[node];
    int high = edges[node + 1] - 1;
    while (low <= high) {
      int middle = (low + high) >>> 1;
      int order = label(middle) - b;
      if (order == 0) {
        return middle;
      }
      if (order < 0) {
        low = middle + 1;
      } else {
        high = middle - 1;
      }
    }
    return -1;
  }

  /** How many entries end at a node. */
  int endsAt(int node) {
    return own[node] - from[node];
  }

  /** Entries that end at a node or go on from it. */
  int count(int node) {
    return to[node] - from[node];
  }

  /** One of them. */
  int entry(int node, int index) {
    return order[from[node] + index];
  }
}
