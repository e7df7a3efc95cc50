package dev.distillery.model.nn;

import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Rows of a frozen matrix [vocab, hidden], an embedding, a head or both, that are trained beside
 * it: they stand in place of its own wherever it is used (PEFT's trainable tokens). Only they get
 * gradients and moments.
 */
final class TrainedRows {
  private final Kernels kernels;
  private final Workspace workspace;
  private final String slot;

  /** [rows, hidden]. */
  private final Tensor rows;

  /** Token of each row. */
  private final List<Integer> tokens;

  /** Row of each token. */
  private final Map<Integer, Integer> rowOf = new HashMap<>();

  TrainedRows(
      Kernels kernels,
      Workspace workspace,
      Parameters parameters,
      String slot,
      List<Integer> tokens) {
    this.kernels = kernels;
    this.workspace = workspace;
    this.slot = slot;
    this.rows = parameters.get(slot);
    this.tokens = tokens;
    for (int row = 0; row < tokens.size(); row++) {
      rowOf.put(tokens.get(row), row);
    }
  }

  boolean trained(Gradients gradients) {
    return gradients.wants(slot);
  }

  /** Which of a batch's places hold a trained token, and its row. */
  @SuppressWarnings("ArrayRecordComponent") // Built once a pass and only read.
  private record Places(int[] places, int[] rows) {}

  private Places places(int[] ids) {
    int[] places = new int[ids.length];
    int[] of = new int[ids.length];
    int count = 0;
    for (int i = 0; i < ids.length; i++) {
      Integer row = rowOf.get(ids[i]);
      if (row != null) {
        places[count] = i;
        of[count++] = row;
      }
    }
    return new Places(Arrays.copyOf(places, count), Arrays.copyOf(of, count));
  }

  /** out[i] = the row of ids[i], where that is trained; out is [ids, hidden]. */
  void embed(Tensor out, int[] ids) {
    Places found = places(ids);
    if (found.places.length == 0) {
      return;
    }
    Tensor some = workspace.get("trained.rows", found.places.length, out.columns());
    try (Ids from = kernels.ids(found.rows);
        Ids to = kernels.ids(found.places)) {
      kernels.gather(some, rows, from);
      kernels.scatter(out, to, some);
    }
  }

  /** The gradient of {@link #embed}. */
  void embedBackward(Tensor dOut, int[] ids, Gradients gradients) {
    Places found = places(ids);
    gradients
        .add(slot)
        .filter(unused -> found.places.length > 0)
        .ifPresent(
            dRows -> {
              Tensor some = workspace.get("trained.rows", found.places.length, dOut.columns());
              try (Ids from = kernels.ids(found.places);
                  Ids to = kernels.ids(found.rows)) {
                kernels.gather(some, dOut, from);
                kernels.scatterAdd(dRows, to, some);
              }
            });
  }

  /** Overwrites the logits of the trained tokens: out[:, token] = scale hidden row^T. */
  void logits(Tensor out, Tensor hidden, double scale) {
    Tensor columns = workspace.get("trained.logits", hidden.rows(), rows.rows());
    kernels.matmul(columns, hidden, false, rows, true, scale, 0);
    eachColumn((row, token) -> kernels.copy(out.columns(token, 1), columns.columns(row, 1)));
  }

  /** As {@link #logits}, row by row: the bits of a row depend on no other. */
  void project(Tensor out, Tensor hidden, double scale) {
    Tensor columns = workspace.get("trained.logits", hidden.rows(), rows.rows());
    try (Packed packed = kernels.pack(rows, false)) {
      kernels.project(columns, hidden, packed);
    }
    kernels.scale(columns, scale);
    eachColumn((row, token) -> kernels.copy(out.columns(token, 1), columns.columns(row, 1)));
  }

  /**
   * The gradient of {@link #logits}, in place of what the matrix' own rows would have given: with
   * the trained tokens' columns d of dLogits, dRows += scale d^T hidden and dHidden = whole + scale
   * d rows.
   *
   * @param whole sets dHidden to the gradient through the matrix, where those columns are zero
   */
  void logitsBackward(
      Tensor dHidden,
      Tensor dLogits,
      Tensor hidden,
      double scale,
      Gradients gradients,
      Runnable whole) {
    Tensor columns = workspace.get("trained.logits", hidden.rows(), rows.rows());
    eachColumn((row, token) -> kernels.copy(columns.columns(row, 1), dLogits.columns(token, 1)));
    eachColumn((row, token) -> kernels.fill(dLogits.columns(token, 1), 0));
    whole.run();
    eachColumn((row, token) -> kernels.copy(dLogits.columns(token, 1), columns.columns(row, 1)));
    kernels.matmul(dHidden, columns, false, rows, false, scale, 1);
    gradients.addProduct(slot, columns, true, hidden, false, scale);
  }

  /** Changes places with the matrix' own rows: twice is nothing. */
  void swap(Tensor matrix) {
    Tensor own = workspace.get("trained.rows", rows.rows(), rows.columns());
    try (Ids ids = kernels.ids(tokens.stream().mapToInt(Integer::intValue).toArray())) {
      kernels.gather(own, matrix, ids);
      kernels.scatter(matrix, ids, rows);
    }
    kernels.copy(rows, own);
  }

  private interface Column {
    void accept(int row, int token);
  }

  private void eachColumn(Column column) {
    for (int row = 0; row < tokens.size(); row++) {
      column.accept(row, tokens.get(row));
    }
  }
}
