package dev.distillery.training.tokens;

import static org.apache.spark.sql.functions.col;

import dev.distillery.core.run.JobException;
import dev.distillery.model.tokenizer.Tokenizer;
import dev.distillery.spark.job.JobRun;
import dev.distillery.spark.warehouse.Table;
import dev.distillery.spark.warehouse.TableRef;
import dev.distillery.spark.warehouse.Tables;
import dev.distillery.spark.warehouse.WeightedRef;
import dev.distillery.training.card.ModelCard;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.BiFunction;
import org.apache.spark.api.java.function.MapFunction;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;

/** The inputs of a training run: read, turned into token tables, and mixed by their weights. */
public final class TrainingInputs {
  private final JobRun run;
  private final List<Source> sources;
  private final Optional<RowFigures> figures;

  /**
   * One input.
   *
   * @param weighted as the user named it
   * @param table what its rows are
   * @param rows of it
   */
  private record Source(WeightedRef weighted, Table table, Dataset<Row> rows) {}

  /**
   * What an input comes to.
   *
   * @param ref as the user named it
   * @param weight passes in an epoch
   * @param counts what becomes of its rows
   * @param rowsPerEpoch rows of its token table that an epoch takes
   */
  public record Share(String ref, BigDecimal weight, TokenCounts counts, long rowsPerEpoch) {}

  /**
   * All inputs as tokens.
   *
   * @param rows mixed
   * @param tokensPerEpoch about, where a weight is not whole
   * @param learnedPerEpoch those of them with a weight over 0
   * @param longest tokens of the longest row
   * @param shares by input
   * @param key of the token tables, with their weights
   * @param rejects rows in the columns of {@link Tables#REJECTS}, if any was rejected
   */
  public record Tokens(
      TokenRows rows,
      long tokensPerEpoch,
      long learnedPerEpoch,
      int longest,
      List<Share> shares,
      String key,
      Optional<Dataset<Row>> rejects) {

    /** The sums over all inputs. */
    public TokenCounts counts() {
      return shares.stream().map(Share::counts).reduce(TokenCounts::plus).orElseThrow();
    }
  }

  /**
   * What all inputs would be, without anything written.
   *
   * @param rowsPerEpoch rows of token tables
   * @param tokensPerEpoch of them
   * @param learnedPerEpoch tokens of them with a weight over 0
   * @param longest tokens of the longest row
   * @param shares by input
   * @param shown the first rows of each input
   */
  public record Plan(
      long rowsPerEpoch,
      long tokensPerEpoch,
      long learnedPerEpoch,
      int longest,
      List<Share> shares,
      List<TokenSequence> shown) {
    /** The sums over all inputs. */
    public TokenCounts counts() {
      return shares.stream().map(Share::counts).reduce(TokenCounts::plus).orElseThrow();
    }

    /** As many rows and tokens as an epoch has: for estimates. */
    public TokenRows rows() {
      return new PlannedRows(rowsPerEpoch, tokensPerEpoch, longest);
    }

    /** What an epoch holds, by the names that a summary gives it. */
    public Map<String, Number> figures() {
      Map<String, Number> figures = new TreeMap<>();
      figures.put("rows_per_epoch", rowsPerEpoch);
      figures.put("tokens_per_epoch", tokensPerEpoch);
      figures.put("learned_tokens_per_epoch", learnedPerEpoch);
      figures.put("longest_row", longest);
      return figures;
    }

    /** Shares and shown rows as lines for a person. */
    public String describe(Tokenizer tokenizer) {
      var text = new StringBuilder();
      for (Share share : shares) {
        TokenCounts counts = share.counts();
        text.append(
            "%s: weight %s, %s rows read, %s kept, %s cut, %s without a learned stop, rejected %s; %s rows an epoch%n"
                .formatted(
                    share.ref(),
                    share.weight(),
                    counts.rowsRead(),
                    counts.rowsKept(),
                    counts.rowsCut(),
                    counts.rowsWithoutStop(),
                    new TreeMap<>(counts.rejects()),
                    share.rowsPerEpoch()));
      }
      for (int i = 0; i < shown.size(); i++) {
        text.append(ShownRow.of(shown.get(i), tokenizer, i + 1));
      }
      return text.toString();
    }
  }

  private TrainingInputs(JobRun run, List<Source> sources, Optional<RowFigures> figures) {
    this.run = run;
    this.sources = sources;
    this.figures = figures;
  }

  /**
   * Reads inputs.
   *
   * @param refs as users write them
   * @param allowed tables that may be named; what files of one's own are is seen by their columns
   * @throws JobException where a table is not there or not allowed, or {@code --use} forbids rows
   */
  public static TrainingInputs read(JobRun run, List<String> refs, List<Table> allowed) {
    return read(run, refs, allowed, run::inputs);
  }

  /** As {@link #read}, of rows that the job does not account for: it evaluates on them, say. */
  public static TrainingInputs readBeside(JobRun run, List<String> refs, List<Table> allowed) {
    return read(run, refs, allowed, run::sideInputs);
  }

  private static TrainingInputs read(
      JobRun run,
      List<String> refs,
      List<Table> allowed,
      BiFunction<List<String>, Table, Dataset<Row>> reading) {
    List<Source> sources = new ArrayList<>();
    for (String text : refs) {
      WeightedRef weighted = WeightedRef.parse(text);
      Table table = table(run, weighted.ref(), allowed);
      sources.add(new Source(weighted, table, reading.apply(List.of(weighted.ref()), table)));
    }
    return new TrainingInputs(run, sources, Optional.empty());
  }

  /** The same inputs, whose rows are built with figures. A plan knows nothing of them. */
  public TrainingInputs with(RowFigures rowFigures) {
    return new TrainingInputs(run, sources, Optional.of(rowFigures));
  }

  private static Table table(JobRun run, String ref, List<Table> allowed) {
    List<String> names = allowed.stream().map(Table::name).toList();
    if (TableRef.parse(ref) instanceof TableRef.Named named) {
      return Tables.byName(named.table())
          .filter(allowed::contains)
          .orElseThrow(
              () ->
                  JobException.invalid(
                      "Option --input: %s is none of %s, which this job trains on"
                          .formatted(ref, String.join(", ", names))));
    }
    if (allowed.size() == 1) {
      return allowed.get(0);
    }
    List<String> columns = run.columns(ref);
    Map<String, Table> telling = new LinkedHashMap<>();
    telling.put("chosen", Tables.PREFERENCES);
    telling.put("logprobs", Tables.COMPLETIONS);
    telling.put("messages", Tables.CONVERSATIONS);
    telling.put("instruction", Tables.INSTRUCTIONS);
    telling.put("text", Tables.DOCUMENTS);
    return telling.entrySet().stream()
        .filter(entry -> columns.contains(entry.getKey()) && allowed.contains(entry.getValue()))
        .map(Map.Entry::getValue)
        .findFirst()
        .orElseThrow(
            () ->
                JobException.invalid(
                    "Option --input: the rows of %s have the columns %s and are none of %s; bring them into one by the job ingest"
                        .formatted(ref, columns, String.join(", ", names))));
  }

  /** The rows of each input, as they were read. */
  public List<Dataset<Row>> rows() {
    return sources.stream().map(Source::rows).toList();
  }

  /**
   * The distinct texts of a column in all inputs, white space around them aside, in the order of
   * their bytes; blank ones are none.
   *
   * @param most of them that are read, those with the lowest bytes
   */
  public List<String> distinct(String column, int most) {
    return rows().stream()
        .map(rows -> rows.select(column))
        .reduce(Dataset::union)
        .orElseThrow()
        .map(
            (MapFunction<Row, String>) row -> row.isNullAt(0) ? "" : row.getString(0).strip(),
            Encoders.STRING())
        .filter(col("value").notEqual(""))
        .distinct()
        .sort("value")
        .limit(most)
        .collectAsList();
  }

  /**
   * Builds the token tables, or takes those that are there.
   *
   * @param tokenizer model or tokenizer, by the driver's path, on the executors already
   */
  public Tokens build(String tokenizer, TokenSettings settings, long seed, boolean shuffled) {
    TokenTables tables = tables(tokenizer, settings);
    List<MixedRows.Input> inputs = new ArrayList<>();
    List<Share> shares = new ArrayList<>();
    List<String> keys = new ArrayList<>();
    Optional<Dataset<Row>> rejects = Optional.empty();
    double tokens = 0;
    double learned = 0;
    int longest = 0;
    for (Source source : sources) {
      WeightedRef weighted = source.weighted();
      TokenTables.Built built = built(tables, source);
      run.note("token table of " + weighted.ref(), built.key());
      keys.add(built.key() + "=" + weighted.weight().stripTrailingZeros().toPlainString());
      var input = new MixedRows.Input(built.table(), weighted.weight());
      inputs.add(input);
      shares.add(new Share(weighted.ref(), weighted.weight(), built.counts(), input.perEpoch()));
      tokens += built.table().tokens() * weighted.weight().doubleValue();
      learned += built.table().learned() * weighted.weight().doubleValue();
      longest = Math.max(longest, built.table().longest());
      rejects = together(rejects, built.rejects());
    }
    return new Tokens(
        MixedRows.of(inputs, seed, shuffled),
        Math.round(tokens),
        Math.round(learned),
        longest,
        List.copyOf(shares),
        String.join(" ", keys),
        rejects);
  }

  private TokenTables.Built built(TokenTables tables, Source source) {
    String ref = source.weighted().ref();
    TokenTables.Built plain =
        run.phase(
            "Tokens of " + ref, () -> tables.build(ref, source.rows(), source.table(), run.id()));
    return figures
        .map(
            some ->
                run.phase(
                    some.name() + " of " + ref,
                    () ->
                        new FiguredTables(
                                run.spark().sparkContext(), run.warehouse(), run.progress())
                            .of(ref, plain, some)))
        .orElse(plain);
  }

  private static Optional<Dataset<Row>> together(
      Optional<Dataset<Row>> some, Optional<Dataset<Row>> more) {
    return some.isPresent() && more.isPresent()
        ? Optional.of(some.get().unionByName(more.get()))
        : some.or(() -> more);
  }

  /**
   * What {@link #build} would make, without anything written.
   *
   * @param show rows of each input to give back
   */
  public Plan plan(String tokenizer, TokenSettings settings, int show) {
    TokenTables tables = tables(tokenizer, settings);
    List<Share> shares = new ArrayList<>();
    List<TokenSequence> shown = new ArrayList<>();
    long rows = 0;
    double tokens = 0;
    double learned = 0;
    int longest = 0;
    for (Source source : sources) {
      WeightedRef weighted = source.weighted();
      TokenTables.Plan plan = tables.plan(weighted.ref(), source.rows(), source.table(), show);
      long perEpoch = MixedRows.perEpoch(plan.rows(), weighted.weight());
      shares.add(new Share(weighted.ref(), weighted.weight(), plan.counts(), perEpoch));
      shown.addAll(plan.shown());
      rows += perEpoch;
      tokens += plan.tokens() * weighted.weight().doubleValue();
      learned += plan.learned() * weighted.weight().doubleValue();
      longest = Math.max(longest, plan.longest());
    }
    return new Plan(
        rows, Math.round(tokens), Math.round(learned), longest, List.copyOf(shares), shown);
  }

  private TokenTables tables(String tokenizer, TokenSettings settings) {
    return new TokenTables(run.spark(), run.warehouse(), run.progress()::say, tokenizer, settings);
  }

  /** The sources of all rows with their licenses, most rows first. */
  public List<ModelCard.Source> sources() {
    return ModelCard.sources(sources.stream().map(Source::rows).toList());
  }

  /** A figure of the run's staged table {@code metrics}, by step. */
  public static List<ModelCard.Point> curve(JobRun run, String name) {
    return run
        .staged(Tables.METRICS.name())
        .where(col("name").equalTo(name))
        .sort("step")
        .select("step", "value")
        .collectAsList()
        .stream()
        .map(row -> new ModelCard.Point(row.getLong(0), row.getDouble(1)))
        .toList();
  }

  /** Writes rejected rows as the run's table {@code rejects}; does nothing where there are none. */
  public static void writeRejects(JobRun run, Optional<Dataset<Row>> rejects) {
    if (rejects.isPresent()) {
      var unused = run.reject(rejects.get(), col("rule"), col("detail"), col("row"));
    }
  }
}
