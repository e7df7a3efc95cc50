package dev.distillery.spark.warehouse;

import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;

/**
 * One row of {@link Tables#INSTRUCTIONS}, with its codec.
 *
 * @param id see {@link StableIds}
 * @param taskId shared by the instances of one task
 * @param isClassification empty where nobody said
 * @param mostSimilar nearest tasks of the pool, best first; empty where there was no pool
 * @param createdAt when the reply came; empty for rows that no reply holds
 */
public record InstructionRow(
    String id,
    String taskId,
    String instruction,
    String input,
    String output,
    Optional<Boolean> isClassification,
    String origin,
    String source,
    String license,
    Optional<String> teacher,
    Optional<String> requestId,
    List<Similar> mostSimilar,
    double maxSimilarity,
    Optional<Instant> createdAt) {

  /** A task of the pool and its score. */
  public record Similar(String id, String instruction, double score) {}

  /** The row in the schema of {@link Tables#INSTRUCTIONS}. */
  public Row toRow() {
    return RowFactory.create(
        id,
        taskId,
        instruction,
        input,
        output,
        isClassification.orElse(null),
        origin,
        source,
        license,
        teacher.orElse(null),
        requestId.orElse(null),
        mostSimilar.stream()
            .map(near -> RowFactory.create(near.id(), near.instruction(), near.score()))
            .toArray(Row[]::new),
        maxSimilarity,
        createdAt.map(java.sql.Timestamp::from).orElse(null));
  }
}
