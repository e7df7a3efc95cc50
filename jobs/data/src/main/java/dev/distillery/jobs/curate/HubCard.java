package dev.distillery.jobs.curate;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.distillery.core.run.RunId;
import dev.distillery.spark.license.Licenses;
import dev.distillery.spark.license.SourceLicense;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.apache.spark.sql.types.ArrayType;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.DecimalType;
import org.apache.spark.sql.types.StringType;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;

/**
 * The card of an exported data set: a header of YAML that says where each split's files lie and
 * what their columns are, then what the rows are, where they come from, under which licenses, and
 * who is to be named.
 *
 * @param format parquet or json, as the files end
 * @param splits rows of each
 * @param origins rows of each source and license
 */
record HubCard(
    String name,
    String description,
    String runId,
    StructType schema,
    String format,
    Map<String, Long> splits,
    List<Origin> origins) {
  private static final ObjectMapper JSON = new ObjectMapper();

  private static final Pattern RUN =
      Pattern.compile("(?<![^\n])Run: `(" + RunId.rule() + ")`\n\\z");

  private static final Map<DataType, String> SCALARS =
      Map.of(
          DataTypes.BooleanType, "bool",
          DataTypes.ByteType, "int8",
          DataTypes.ShortType, "int16",
          DataTypes.IntegerType, "int32",
          DataTypes.LongType, "int64",
          DataTypes.FloatType, "float32",
          DataTypes.DoubleType, "float64",
          DataTypes.DateType, "date32",
          DataTypes.BinaryType, "binary");

  /** Licenses that the Hub knows by their SPDX names in lower case. */
  private static final Set<String> KNOWN =
      Set.of(
          "apache-2.0",
          "bsd-2-clause",
          "bsd-3-clause",
          "cc-by-2.0",
          "cc-by-2.5",
          "cc-by-3.0",
          "cc-by-4.0",
          "cc-by-nc-2.0",
          "cc-by-nc-3.0",
          "cc-by-nc-4.0",
          "cc-by-nc-sa-3.0",
          "cc-by-nc-sa-4.0",
          "cc-by-sa-3.0",
          "cc-by-sa-4.0",
          "cc0-1.0",
          "isc",
          "mit",
          "unlicense");

  /** Rows of one source under one license. */
  record Origin(String source, String license, long rows) {}

  /** The last line, by which a run knows its own folder. */
  private static String runLine(String runId) {
    return "Run: `" + runId + "`\n";
  }

  /** The run that wrote a card, by the card's end; empty where it is none of ours. */
  static Optional<String> runOf(String end) {
    Matcher line = RUN.matcher(end);
    return line.find() ? Optional.of(line.group(1)) : Optional.empty();
  }

  String text() {
    var text = new StringBuilder("---\n");
    text.append("pretty_name: ").append(quoted(name)).append('\n');
    List<String> licenses = origins.stream().map(Origin::license).distinct().sorted().toList();
    String only = licenses.size() == 1 ? licenses.get(0).toLowerCase(Locale.ROOT) : "";
    text.append("license: ").append(KNOWN.contains(only) ? only : "other").append('\n');
    text.append("configs:\n- config_name: default\n  data_files:\n");
    for (String split : splits.keySet()) {
      text.append("  - split: ").append(split).append('\n');
      text.append("    path: data/").append(split).append("/*.").append(format).append('\n');
    }
    text.append("dataset_info:\n  features:\n");
    for (StructField field : schema.fields()) {
      feature(text, "  ", field.name(), field.dataType());
    }
    text.append("---\n");
    body(text);
    return text.toString();
  }

  private static void feature(StringBuilder text, String indent, String name, DataType type) {
    text.append(indent).append("- name: ").append(quoted(name)).append('\n');
    value(text, indent + "  ", type);
  }

  /** What a column, or a list's element, is. */
  private static void value(StringBuilder text, String indent, DataType type) {
    if (type instanceof ArrayType list && list.elementType() instanceof StructType struct) {
      text.append(indent).append("list:\n");
      fields(text, indent, struct);
    } else if (type instanceof ArrayType list && list.elementType() instanceof ArrayType inner) {
      text.append(indent).append("list:\n");
      value(text, indent + "  ", inner);
    } else if (type instanceof ArrayType list) {
      text.append(indent).append("list: ").append(dtype(list.elementType())).append('\n');
    } else if (type instanceof StructType struct) {
      text.append(indent).append("struct:\n");
      fields(text, indent, struct);
    } else {
      text.append(indent).append("dtype: ").append(dtype(type)).append('\n');
    }
  }

  private static void fields(StringBuilder text, String indent, StructType struct) {
    for (StructField field : struct.fields()) {
      feature(text, indent, field.name(), field.dataType());
    }
  }

  private static String dtype(DataType type) {
    return scalar(type).orElseThrow(() -> new IllegalArgumentException(type.catalogString()));
  }

  /** The name that datasets has for a type that holds no others. */
  private static Optional<String> scalar(DataType type) {
    return type instanceof StringType
        ? Optional.of("string")
        : type instanceof DecimalType decimal
            ? Optional.of("decimal128(" + decimal.precision() + ", " + decimal.scale() + ")")
            : Optional.ofNullable(SCALARS.get(type));
  }

  /**
   * The columns, or fields in them, that a card cannot say, with their types.
   *
   * @param json whether they are to be read out of JSON, which has no bytes and no decimals
   */
  static List<String> unsaid(StructType schema, boolean json) {
    List<String> unsaid = new ArrayList<>();
    for (StructField field : schema.fields()) {
      unsaid(field.dataType(), field.name(), json, unsaid);
    }
    return unsaid;
  }

  private static void unsaid(DataType type, String path, boolean json, List<String> unsaid) {
    if (type instanceof ArrayType list) {
      unsaid(list.elementType(), path, json, unsaid);
    } else if (type instanceof StructType struct && struct.length() > 0) {
      for (StructField field : struct.fields()) {
        unsaid(field.dataType(), path + "." + field.name(), json, unsaid);
      }
    } else if (scalar(type).isEmpty()
        || (json && (type instanceof DecimalType || type.equals(DataTypes.BinaryType)))) {
      unsaid.add(path + " (" + type.catalogString() + ")");
    }
  }

  private static String quoted(String text) {
    try {
      // A text of JSON is one of YAML.
      return JSON.writeValueAsString(text);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
  }

  private void body(StringBuilder text) {
    text.append("# ").append(name).append("\n\n").append(description).append("\n\n");
    text.append("```python\nfrom datasets import load_dataset\n\n")
        .append("rows = load_dataset(\"path/to/this/folder\", split=\"")
        .append(splits.keySet().stream().findFirst().orElse("train"))
        .append("\")\n```\n\n| split | rows |\n|---|---|\n");
    splits.forEach(
        (split, rows) -> text.append("| ").append(split).append(" | ").append(rows).append(" |\n"));
    text.append("\n## Columns\n\n| column | what it is |\n|---|---|\n");
    for (StructField field : schema.fields()) {
      text.append("| `")
          .append(field.name())
          .append("` | ")
          .append(cell(field.getComment().getOrElse(() -> "")))
          .append(" |\n");
    }
    text.append("\n## Sources, licenses, and who is to be named\n\n");
    text.append("| source | license | rows | terms | where |\n|---|---|---|---|---|\n");
    for (Origin origin : origins) {
      Optional<SourceLicense> terms = Licenses.of(origin.source());
      text.append("| ")
          .append(cell(origin.source()))
          .append(" | ")
          .append(cell(origin.license()))
          .append(" | ")
          .append(origin.rows())
          .append(" | ")
          .append(cell(terms.map(HubCard::terms).orElse("Not known to the registry")))
          .append(" | ")
          .append(cell(terms.map(SourceLicense::url).orElse("")))
          .append(" |\n");
    }
    text.append('\n').append(named()).append("\n\n").append(runLine(runId));
  }

  private static String terms(SourceLicense license) {
    return license.providerTerms().isEmpty()
        ? license.terms()
        : license.terms() + ". " + license.providerTerms();
  }

  private String named() {
    List<SourceLicense> known =
        origins.stream()
            .map(Origin::source)
            .distinct()
            .flatMap(source -> Licenses.of(source).stream())
            .toList();
    String sources =
        known.stream()
            .filter(license -> license.attribution() == SourceLicense.Attribution.SOURCE)
            .map(SourceLicense::source)
            .distinct()
            .collect(Collectors.joining(", "));
    boolean authors =
        known.stream().anyMatch(l -> l.attribution() == SourceLicense.Attribution.EACH_AUTHOR);
    return (sources.isEmpty() ? "" : "To be named where rows are passed on: " + sources + ". ")
        + (authors ? "The column `attribution` names each author, with a link. " : "")
        + "This says what the sources' publishers say, and is no legal advice.";
  }

  private static String cell(String text) {
    return text.replace("|", "\\|").replace("\n", " ");
  }
}
