package dev.distillery.jobs.curate;

import static dev.distillery.spark.warehouse.Columns.named;
import static org.apache.spark.sql.functions.coalesce;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.udf;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.cfg.JsonNodeFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import dev.distillery.core.filter.Judged;
import dev.distillery.core.filter.RowFilters;
import dev.distillery.core.filter.RowText;
import dev.distillery.core.text.PersonalData;
import dev.distillery.core.text.Redactor;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.UnaryOperator;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.api.java.UDF1;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;
import org.jspecify.annotations.Nullable;

/**
 * One look at each row's texts: filters judge them as they came, then placeholders replace what is
 * personal, in dropped rows too, since these are stored as well.
 */
final class TextPass implements UDF1<Row, Row> {
  private static final long serialVersionUID = 1L;

  /** Takes nothing for JSON that would not come out as it went in, but for texts. */
  private static final ObjectMapper JSON =
      JsonMapper.builder()
          .enable(
              DeserializationFeature.FAIL_ON_TRAILING_TOKENS,
              DeserializationFeature.FAIL_ON_READING_DUP_TREE_KEY,
              DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
          .disable(JsonNodeFeature.STRIP_TRAILING_BIGDECIMAL_ZEROES)
          .build();

  /** The rule that dropped a row; null where it is kept. */
  static final String RULE = "__rule";

  static final String DETAIL = "__detail";

  /** Placeholders in a row, by the place of {@link PersonalData}. */
  static final String REDACTED = "__redacted";

  /** A row's text before lines were taken out of it; null where none were, or nobody asks. */
  static final String UNCUT = "__uncut";

  private static final String PASS = "__pass";

  private final RowTexts texts;
  private final RowFilters filters;
  private final Redactor redactor;
  private final boolean changes;
  private final boolean keepsUncut;

  private TextPass(RowTexts texts, CurateOptions options, RowFilters filters) {
    this.texts = texts;
    this.filters = filters;
    this.redactor = new Redactor(options.kinds());
    this.changes =
        !options.redact().isEmpty() || options.filter().stream().anyMatch(TextPass::cuts);
    this.keepsUncut = !options.decontaminate().isEmpty();
  }

  /**
   * The rows with {@link #RULE}, {@link #DETAIL}, {@link #REDACTED} and {@link #UNCUT} behind their
   * columns.
   */
  static Dataset<Row> over(
      Dataset<Row> rows, RowTexts texts, CurateOptions options, RowFilters filters) {
    if (filters.isEmpty() && options.redact().isEmpty()) {
      return rows.withColumn(RULE, lit(null).cast(DataTypes.StringType))
          .withColumn(DETAIL, lit(null).cast(DataTypes.StringType))
          .withColumn(REDACTED, lit(null).cast("array<bigint>"))
          .withColumn(UNCUT, lit(null).cast(DataTypes.StringType));
    }
    var pass = new TextPass(texts, options, filters);
    StructType result =
        new StructType()
            .add(RULE, DataTypes.StringType)
            .add(DETAIL, DataTypes.StringType)
            .add(REDACTED, DataTypes.createArrayType(DataTypes.LongType, false))
            .add(UNCUT, DataTypes.StringType);
    if (pass.changes) {
      for (StructField field : texts.textFields()) {
        result = result.add(field.name(), field.dataType(), true, field.metadata());
      }
    }
    Dataset<Row> passed = rows.withColumn(PASS, udf(pass, result).apply(texts.column()));
    List<Column> columns = new ArrayList<>();
    List<String> replaced =
        pass.changes ? texts.textFields().stream().map(StructField::name).toList() : List.of();
    for (String name : rows.columns()) {
      columns.add(replaced.contains(name) ? col(PASS + "." + name).as(name) : named(name));
    }
    for (String name : List.of(RULE, DETAIL, REDACTED, UNCUT)) {
      columns.add(col(PASS + "." + name).as(name));
    }
    return passed.select(columns.toArray(Column[]::new));
  }

  /** The rows with their texts as they were before lines were taken out of them. */
  static Dataset<Row> uncut(Dataset<Row> rows, RowTexts texts) {
    if (!texts.isOneText()) {
      return rows.drop(UNCUT);
    }
    String text = texts.textFields().get(0).name();
    return rows.withColumn(text, coalesce(col(UNCUT), col(text))).drop(UNCUT);
  }

  /** Whether a filter takes lines out of rows that it keeps. */
  private static boolean cuts(String filter) {
    return filter.equals("c4") || filter.startsWith("c4:");
  }

  @Override
  public Row call(Row row) {
    RowText came = texts.read(row);
    Judged judged = filters.judge(came);
    var counts = new long[PersonalData.values().length];
    Optional<String> cut =
        judged.objection().isEmpty() && texts.isOneText()
            ? Optional.of(judged.row().whole())
            : Optional.empty();
    boolean uncut = keepsUncut && cut.isPresent() && !cut.get().equals(came.whole());
    List<@Nullable Object> values = new ArrayList<>();
    values.add(judged.objection().map(Judged.Objection::rule).orElse(null));
    values.add(
        judged.objection().map(found -> redactor.redact(found.detail()).text()).orElse(null));
    values.add(counts);
    values.add(uncut ? redactor.redact(came.whole()).text() : null);
    if (changes) {
      UnaryOperator<String> replace = text -> redact(cut.orElse(text), counts);
      values.addAll(texts.replaced(row, replace, json -> redactJson(json, counts)));
    }
    return RowFactory.create(values.toArray());
  }

  private String redact(String text, long[] counts) {
    Redactor.Redacted redacted = redactor.redact(text);
    for (int i = 0; i < counts.length; i++) {
      counts[i] += redacted.counts()[i];
    }
    return redacted.text();
  }

  /** JSON stays JSON: the texts in it are looked at, each by itself. */
  private String redactJson(String json, long[] counts) {
    try {
      JsonNode tree = JSON.readTree(json);
      JsonNode redacted = redact(tree, counts);
      return redacted.equals(tree) ? json : JSON.writeValueAsString(redacted);
    } catch (JsonProcessingException e) {
      return redact(json, counts);
    }
  }

  private JsonNode redact(JsonNode node, long[] counts) {
    if (node.isTextual()) {
      // Arguments of a call are JSON within a text.
      String text = node.textValue();
      boolean inner = text.startsWith("{") || text.startsWith("[");
      return TextNode.valueOf(inner ? redactJson(text, counts) : redact(text, counts));
    }
    if (node instanceof ArrayNode array) {
      ArrayNode redacted = JSON.createArrayNode();
      array.forEach(element -> redacted.add(redact(element, counts)));
      return redacted;
    }
    if (node instanceof ObjectNode object) {
      ObjectNode redacted = JSON.createObjectNode();
      Map<String, Integer> taken = new HashMap<>();
      for (Map.Entry<String, JsonNode> member : object.properties()) {
        String name = redact(member.getKey(), counts);
        redacted.set(free(name, redacted, taken), redact(member.getValue(), counts));
      }
      return redacted;
    }
    return node;
  }

  /**
   * A name for a member, numbered where another has it already, as placeholders do: many keys may
   * become one.
   *
   * @param taken the last number of each name
   */
  private static String free(String name, ObjectNode object, Map<String, Integer> taken) {
    String free = name;
    while (object.has(free)) {
      free = name + "_" + taken.merge(name, 2, (last, any) -> last + 1);
    }
    return free;
  }
}
