package dev.distillery.training.rollout;

import static org.apache.spark.sql.functions.col;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.distillery.core.dialogue.Message;
import dev.distillery.training.tokens.TokenRows;
import dev.distillery.training.tokens.TokenSequence;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;

/**
 * Prompts by position, as Parquet in a folder. Few are held by the driver; of many, those that an
 * update asks for are read, and the last ones kept.
 */
public final class PromptTable implements TokenRows {
  private static final ObjectMapper JSON = new ObjectMapper();

  /** Prompts that the driver holds. */
  private static final int HELD = 10_000;

  private final SparkSession spark;
  private final String folder;
  private final long size;
  private final long tokens;
  private final int longest;
  private final String key;
  private final Map<Long, Prompt> held =
      new LinkedHashMap<>(16, 0.75f, true) {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<Long, Prompt> eldest) {
          return size() > HELD;
        }
      };

  PromptTable(SparkSession spark, String folder, PromptInputs.Sums sums) {
    this.spark = spark;
    this.folder = folder;
    this.size = sums.kept();
    this.tokens = sums.tokens();
    this.longest = sums.longest();
    this.key = sums.key();
  }

  @Override
  public long size() {
    return size;
  }

  /** Tokens of all prompts. */
  public long tokens() {
    return tokens;
  }

  /** Tokens of the longest prompt. */
  public int longest() {
    return longest;
  }

  /** Another for other prompts. */
  public String key() {
    return key;
  }

  /** A prompt as a row of which nothing is learned. */
  @Override
  public TokenSequence row(long index) {
    int[] ids = at(new long[] {index}).get(0).ids();
    return new TokenSequence(ids, new float[ids.length], new int[] {0});
  }

  /** The prompts at some positions, in their order. */
  List<Prompt> at(long[] positions) {
    Map<Long, Prompt> found = new HashMap<>();
    Set<Long> missing = new LinkedHashSet<>();
    for (long position : positions) {
      Prompt prompt = held.get(position);
      if (prompt != null) {
        found.put(position, prompt);
      } else {
        missing.add(position);
      }
    }
    if (!missing.isEmpty()) {
      Dataset<Row> rows = spark.read().parquet(folder);
      if (size > HELD) {
        rows = rows.where(col("position").isin(missing.toArray()));
      }
      for (Row row : rows.collectAsList()) {
        Prompt prompt = prompt(row);
        found.put(row.getAs("position"), prompt);
        held.put(row.getAs("position"), prompt);
      }
    }
    return Arrays.stream(positions)
        .mapToObj(
            position ->
                Objects.requireNonNull(
                    found.get(position), "prompt %s of %s".formatted(position, size)))
        .toList();
  }

  private static Prompt prompt(Row row) {
    List<Integer> ids = row.getList(row.fieldIndex("ids"));
    try {
      List<Message> turns = new ArrayList<>();
      for (JsonNode turn : JSON.readTree(row.<String>getAs("turns"))) {
        turns.add(new Message(turn.path("role").asText(), turn.path("content").asText()));
      }
      return new Prompt(
          row.getAs("id"),
          ids.stream().mapToInt(Integer::intValue).toArray(),
          row.getAs("text"),
          turns,
          Optional.ofNullable(row.getAs("reference")),
          row.getAs("row"));
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("The prompts' folder holds something else", e);
    }
  }
}
