package dev.distillery.core.teacher;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.math.BigDecimal;
import java.math.MathContext;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/** Prices by model, out of {@code conf/prices.yaml} or a file of its form. Immutable. */
public final class Prices {
  /**
   * What Alpaca's data cost for each of its instructions, in US dollars: less than 500 dollars for
   * 52,002. Source: the README of tatsu-lab/stanford_alpaca, "Data Generation Process", and the
   * number of rows in its alpaca_data.json. An upper bound.
   */
  public static final BigDecimal ALPACA_USD_PER_INSTRUCTION =
      new BigDecimal(500).divide(new BigDecimal(52_002), MathContext.DECIMAL32);

  /** Kinds of teacher that run on one's own machines. */
  private static final Set<String> FIELDS = Set.of("input", "cached_input", "output");

  private static final String DATED = "-\\d{4}-\\d{2}-\\d{2}$";
  private static final ObjectMapper YAML =
      new ObjectMapper(new YAMLFactory()).enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS);

  private final Map<String, Price> models;

  private Prices(Map<String, Price> models) {
    this.models = Map.copyOf(models);
  }

  /** The prices that come with Distillery. */
  public static Prices packaged() {
    try (InputStream in = Prices.class.getResourceAsStream("/conf/prices.yaml")) {
      if (in == null) {
        throw new IllegalStateException("The jar lacks conf/prices.yaml");
      }
      return parse(new String(in.readAllBytes(), StandardCharsets.UTF_8), "conf/prices.yaml");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * Prices out of YAML: {@code models: {name: {input, cached_input, output}}}.
   *
   * @param source names the text in messages
   * @throws IllegalArgumentException naming source, model, field and what is wrong
   */
  public static Prices parse(String yaml, String source) {
    JsonNode models;
    try {
      models = YAML.readTree(yaml).path("models");
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException(
          "%s is not YAML: %s".formatted(source, e.getOriginalMessage()), e);
    }
    if (!models.isObject()) {
      throw new IllegalArgumentException(
          source + " has no 'models'; write models: {NAME: {input: 0.15, output: 0.60}}");
    }
    var prices = new TreeMap<String, Price>();
    for (Map.Entry<String, JsonNode> model : models.properties()) {
      String place = source + ", model '" + model.getKey() + "'";
      JsonNode fields = model.getValue();
      fields
          .fieldNames()
          .forEachRemaining(
              field -> {
                if (!FIELDS.contains(field)) {
                  throw new IllegalArgumentException(
                      "%s: unknown field '%s'; known: input, cached_input, output"
                          .formatted(place, field));
                }
              });
      BigDecimal input = amount(fields, "input", place);
      prices.put(
          model.getKey(),
          new Price(
              input,
              fields.has("cached_input") ? amount(fields, "cached_input", place) : input,
              amount(fields, "output", place)));
    }
    return new Prices(prices);
  }

  private static final BigDecimal HIGHEST_PRICE = new BigDecimal(1_000_000);

  private static BigDecimal amount(JsonNode fields, String field, String place) {
    JsonNode value = fields.path(field);
    BigDecimal amount = value.isNumber() ? value.decimalValue() : BigDecimal.ONE.negate();
    // Compared by scale first: 1e999999999 written out takes a gigabyte of digits.
    boolean sane =
        Math.abs((long) amount.scale()) <= 30
            && amount.precision() <= 30
            && amount.signum() >= 0
            && amount.compareTo(HIGHEST_PRICE) <= 0;
    if (!sane) {
      String found = value.isMissingNode() ? "nothing" : value.asText();
      throw new IllegalArgumentException(
          "%s: '%s' is US dollars per million tokens, %s, found %s"
              .formatted(
                  place,
                  field,
                  amount.signum() < 0 ? "0 or more" : "at most " + HIGHEST_PRICE,
                  found.substring(0, Math.min(40, found.length()))));
    }
    return amount;
  }

  /** These prices with others over them. */
  public Prices with(Prices over) {
    var all = new TreeMap<>(models);
    all.putAll(over.models);
    return new Prices(all);
  }

  /** These prices with one more, or another in place of one. */
  public Prices with(String model, Price price) {
    return with(new Prices(Map.of(model, price)));
  }

  /**
   * The price of a teacher's model: nothing for the kinds that run here, else by name, else by the
   * name without its date; empty where it is not known.
   */
  public Optional<Price> of(TeacherKind kind, String model) {
    if (!kind.isServer()) {
      return Optional.of(Price.FREE);
    }
    return Optional.ofNullable(models.get(model))
        .or(() -> Optional.ofNullable(models.get(model.replaceFirst(DATED, ""))));
  }
}
