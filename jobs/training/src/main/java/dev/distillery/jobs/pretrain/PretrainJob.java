package dev.distillery.jobs.pretrain;

import static org.apache.spark.sql.functions.coalesce;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.octet_length;
import static org.apache.spark.sql.functions.sum;

import dev.distillery.core.format.ModelFileException;
import dev.distillery.core.run.ExitCode;
import dev.distillery.core.run.JobException;
import dev.distillery.core.run.Manual;
import dev.distillery.core.run.OptionsBinder;
import dev.distillery.core.run.RunOptions;
import dev.distillery.model.format.ModelConfig;
import dev.distillery.model.format.ModelFiles;
import dev.distillery.model.format.SpecialTokens;
import dev.distillery.model.tokenizer.Tokenizer;
import dev.distillery.model.tokenizer.TokenizerWriter;
import dev.distillery.model.tokenizer.Tokenizers;
import dev.distillery.spark.job.Job;
import dev.distillery.spark.job.JobRun;
import dev.distillery.spark.job.Outcome;
import dev.distillery.spark.job.RowAccount;
import dev.distillery.spark.job.ShippedModel;
import dev.distillery.spark.warehouse.Table;
import dev.distillery.spark.warehouse.TableRef;
import dev.distillery.spark.warehouse.Tables;
import dev.distillery.training.card.BaseModelTerms;
import dev.distillery.training.card.ModelCard;
import dev.distillery.training.run.NextTokenObjective;
import dev.distillery.training.run.ResultFolder;
import dev.distillery.training.run.StudentOptions;
import dev.distillery.training.run.TrainingOptions;
import dev.distillery.training.run.TrainingResult;
import dev.distillery.training.run.TrainingRun;
import dev.distillery.training.tokens.TokenCounts;
import dev.distillery.training.tokens.TokenSettings;
import dev.distillery.training.tokens.TokenSettings.OverLength;
import dev.distillery.training.tokens.TokenSettings.Packing;
import dev.distillery.training.tokens.TokenSettings.TrainOn;
import dev.distillery.training.tokens.TrainedTokens;
import dev.distillery.training.tokens.TrainingInputs;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.apache.hadoop.fs.FileUtil;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;

/**
 * Job `pretrain`; its manual is {@link #manual}.
 *
 * <pre>{@code
 * var student = StudentOptions.builder().model("base.gguf").outputDir("student").build();
 * var training = TrainingOptions.builder().student(student).build();
 * var tokens = TokenOptions.builder().input(List.of("documents")).build();
 * PretrainOptions options = PretrainOptions.builder().training(training).tokens(tokens).build();
 * PretrainSummary summary = new PretrainJob().run(spark, options);
 * System.out.println("Written to " + summary.output());
 * }</pre>
 */
public final class PretrainJob implements Job<PretrainOptions, PretrainSummary> {
  private static final List<Table> TABLES = List.of(Tables.DOCUMENTS);

  /** Where a new model's first weights lie, beside the result. */
  private static final String INITIAL = "initial";

  @Override
  public String name() {
    return "pretrain";
  }

  @Override
  public String purpose() {
    return "Train a language model on documents, from scratch or from a checkpoint.";
  }

  @Override
  public Manual manual() {
    return Manual.of(
        """
        Trains a language model on documents, from a checkpoint or from scratch. Each document ends
        with the tokenizer's end of text; a long one goes on in further rows; rows are packed so
        that no document sees another (--packing isolated, the default), or run on
        (constant-length).

        --model names a checkpoint to go on with, or a shape for a new model: a name such as gpt2,
        gpt3-small or stories-15m, or a config.json. A new model needs --tokenizer-from. Its
        weights are drawn as its publishers drew theirs.
        """,
        "documents, or files with their columns.",
        "a Hugging Face directory with a card to --output-dir; the tables metrics and rejects. With"
            + " --eval-input the summary has perplexity and bits_per_byte.",
        "distillery pretrain --model stories-260k --tokenizer-from train --vocab-size 512"
            + " --input documents --output-dir out/small --learning-rate 1e-3");
  }

  @Override
  public Class<PretrainOptions> optionsType() {
    return PretrainOptions.class;
  }

  @Override
  public Class<PretrainSummary> summaryType() {
    return PretrainSummary.class;
  }

  @Override
  public RunOptions runOptions(PretrainOptions options) {
    return options.run();
  }

  /** A step may be long, and its checkpoint large. */
  @Override
  public Duration grace() {
    return TrainingRun.GRACE;
  }

  @Override
  public void check(PretrainOptions options) {
    StudentOptions student = options.training().student();
    ResultFolder.check(
        student,
        options.tokenizerFrom().stream()
            .filter(from -> !from.equals(PretrainOptions.TRAIN))
            .map(from -> new ResultFolder.Read("--tokenizer-from", from))
            .toList());
    boolean shape = NewModel.isShape(student.model());
    if (shape && options.tokenizerFrom().isEmpty()) {
      throw JobException.invalid(
          "Option --tokenizer-from is required for a new model: name a model whose tokenizer it"
              + " gets, or train");
    }
    if (!shape && options.tokenizerFrom().isPresent()) {
      throw JobException.invalid(
          "Option --tokenizer-from has no effect on the checkpoint %s, which has its own: leave it out"
              .formatted(student.model()));
    }
    if (student.trainable() != StudentOptions.Trainable.FULL && shape) {
      throw JobException.invalid(
          "Option --trainable: a new model must be trained in full: leave the option out");
    }
    if (shape) {
      ModelConfig config = NewModel.shape(student.model());
      int unused = options.tokens().length(config.maxPositions());
      if (!options.tokenizerFrom().equals(Optional.of(PretrainOptions.TRAIN))) {
        var unusedTokens = NewModel.specialTokens(NewModel.open(options.tokenizerFrom().get()));
      }
      return;
    }
    try (ModelFiles files = ModelFiles.open(Path.of(student.model()))) {
      int unused = options.tokens().length(files.config().maxPositions());
      TrainedTokens.check(options.training().lora().trainTokens(), Tokenizers.of(files));
      BaseModelTerms.of(Path.of(student.model())).check(student.model(), options.run().use());
    } catch (ModelFileException e) {
      throw JobException.invalid("Option --model: " + e.getMessage());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * What training begins from.
   *
   * @param model checkpoint; for a plan of a new model only its tokenizer
   * @param config its shape
   * @param eos id that ends a document; -1 where it has none
   */
  private record Start(Path model, ModelConfig config, Tokenizer tokenizer, int eos) {}

  @Override
  public List<TableRef> inputs(PretrainOptions options) {
    return options.tokens().refs();
  }

  @Override
  public Outcome<PretrainSummary> perform(JobRun run, PretrainOptions options) throws IOException {
    TrainingInputs inputs = TrainingInputs.read(run, options.tokens().input(), TABLES);
    Start start = start(run, options, inputs);
    TokenSettings settings = settings(options, start);
    String model = start.model().toString();
    ShippedModel.ship(run.spark().sparkContext(), model);
    if (run.dryRun()) {
      TrainingInputs.Plan plan = inputs.plan(model, settings, options.show());
      System.out.print(plan.describe(start.tokenizer()));
      Map<String, Number> planned = new TreeMap<>(figures(run, options, start, settings, plan));
      planned.putAll(plan.counts().figures());
      return Outcome.done(
          new PretrainSummary(run.summary(), planned, options.training().student().outputDir()),
          account(plan.counts()));
    }
    long seed = options.run().randomSeed();
    TrainingInputs.Tokens tokens =
        inputs.build(model, settings, seed, options.training().batch().shuffle());
    TrainingInputs.writeRejects(run, tokens.rejects());
    TrainingRun training =
        TrainingRun.of(
                run, from(options.training(), model), seed, new NextTokenObjective(), tokens.rows())
            .identifiedBy("token tables", tokens.key());
    Map<String, Number> held = new TreeMap<>();
    if (!options.tokens().evalInput().isEmpty()) {
      TrainingInputs eval = TrainingInputs.readBeside(run, options.tokens().evalInput(), TABLES);
      TrainingInputs.Tokens evaluated = eval.build(model, settings, seed, false);
      training = training.evaluatedOn(evaluated.rows());
      held.put("eval_tokens", evaluated.learnedPerEpoch());
      held.put("eval_bytes", eval.rows().stream().mapToLong(PretrainJob::bytes).sum());
    }
    TrainingResult result = training.train();
    Map<String, Number> figures = new TreeMap<>(tokens.counts().figures());
    figures.putAll(result.figures());
    figures.putAll(held);
    figures.putAll(ofHeldOut(figures));
    var summary = new PretrainSummary(run.summary(), figures, result.output());
    if (result.interrupted().isPresent()) {
      return Outcome.stopped(ExitCode.TEMPORARY, result.interrupted().get(), summary);
    }
    ModelCard card = card(run, options, inputs, summary);
    result
        .samples()
        .forEach(
            sample ->
                card.addSample(
                    new ModelCard.Sample(sample.prompt(), sample.before(), sample.after())));
    card.write(new org.apache.hadoop.fs.Path(result.output()), run.warehouse().hadoop());
    return Outcome.done(summary, account(tokens.counts()));
  }

  private static RowAccount account(TokenCounts counts) {
    return RowAccount.of("documents", counts.rowsRead(), counts.rowsKept())
        .rejects(counts.rejects());
  }

  private static Start start(JobRun run, PretrainOptions options, TrainingInputs inputs)
      throws IOException {
    String given = options.training().student().model();
    if (!NewModel.isShape(given)) {
      Path model = Path.of(given);
      try (ModelFiles files = ModelFiles.open(model)) {
        List<Integer> stops = files.specialTokens().stop();
        int eos = stops.isEmpty() ? -1 : stops.get(0);
        return new Start(model, files.config(), Tokenizers.of(files), eos);
      }
    }
    ModelConfig shape = NewModel.shape(given);
    Path directory = run.dryRun() ? Files.createTempDirectory("pretrain-") : initial(run, options);
    Tokenizer tokenizer = tokenizer(run, options, inputs, shape, directory);
    SpecialTokens tokens = NewModel.specialTokens(tokenizer);
    if (run.dryRun()) {
      // The plan tokenises, and needs no weights for that.
      TokenizerWriter.write(directory, tokenizer, tokens, Optional.empty());
      directory.toFile().deleteOnExit();
    } else {
      NewModel.write(directory, shape, tokenizer, options.run().randomSeed());
    }
    ModelConfig config = shape.toBuilder().vocabSize(tokenizer.vocabSize()).build();
    return new Start(directory, config, tokenizer, tokens.stop().get(0));
  }

  /** The folder of the first weights: on this machine, and the same for every try of a run. */
  private static Path initial(JobRun run, PretrainOptions options) {
    ResultFolder.claim(options.training().student().outputDir(), run.warehouse().hadoop());
    URI output = new org.apache.hadoop.fs.Path(options.training().student().outputDir()).toUri();
    boolean local = output.getScheme() == null || output.getScheme().equals("file");
    Path folder =
        local
            ? Path.of(output.getPath(), INITIAL)
            : Path.of(
                System.getProperty("java.io.tmpdir"), "distillery-" + INITIAL + "-" + run.id());
    if (run.overwrites()) {
      // It may come of other options; what is drawn again for the same ones is the same.
      FileUtil.fullyDelete(folder.toFile());
    }
    return folder;
  }

  private static Tokenizer tokenizer(
      JobRun run,
      PretrainOptions options,
      TrainingInputs inputs,
      ModelConfig shape,
      Path directory) {
    if (Files.exists(directory.resolve("config.json"))) {
      return NewModel.open(directory.toString());
    }
    String from = options.tokenizerFrom().orElseThrow();
    if (!from.equals(PretrainOptions.TRAIN)) {
      return NewModel.open(from);
    }
    Dataset<Row> texts =
        inputs.rows().stream()
            .map(rows -> rows.select("text"))
            .reduce(Dataset::union)
            .orElseThrow();
    return run.phase(
        "Train a tokenizer",
        () ->
            NewModel.train(
                texts.toJavaRDD().map(row -> row.isNullAt(0) ? "" : row.getString(0)),
                options.vocabSize().orElse(shape.vocabSize())));
  }

  private static TokenSettings settings(PretrainOptions options, Start start) {
    return new TokenSettings(
        "",
        TrainOn.EVERYTHING,
        options.tokens().overLength().orElse(OverLength.SPLIT),
        options.tokens().length(start.config().maxPositions()),
        options.tokens().packing().orElse(Packing.ISOLATED),
        start.eos());
  }

  private static TrainingOptions from(TrainingOptions options, String model) {
    StudentOptions given = options.student();
    return new TrainingOptions(
        new StudentOptions(
            model,
            given.outputDir(),
            given.trainable(),
            given.adapter(),
            given.dtype(),
            given.dropout(),
            given.gradientCheckpointing()),
        options.lora(),
        options.optimizer(),
        options.schedule(),
        options.batch(),
        options.saving(),
        options.workers(),
        options.mlflow());
  }

  private static long bytes(Dataset<Row> rows) {
    return rows.agg(coalesce(sum(octet_length(col("text"))), lit(0L))).head().getLong(0);
  }

  /** Perplexity is e to the loss a token; bits per byte are of the text's UTF-8. */
  private static Map<String, Number> ofHeldOut(Map<String, Number> figures) {
    if (!figures.containsKey("eval_loss") || !figures.containsKey("eval_bytes")) {
      return Map.of();
    }
    double loss = figures.get("eval_loss").doubleValue();
    double nats = loss * figures.get("eval_tokens").doubleValue();
    return Map.of(
        "perplexity",
        Math.exp(loss),
        "bits_per_byte",
        nats / Math.log(2) / figures.get("eval_bytes").doubleValue());
  }

  private static Map<String, Number> figures(
      JobRun run,
      PretrainOptions options,
      Start start,
      TokenSettings settings,
      TrainingInputs.Plan plan) {
    TrainingRun training =
        TrainingRun.of(
            run,
            options.training(),
            options.run().randomSeed(),
            new NextTokenObjective(),
            plan.rows());
    if (!options.tokens().evalInput().isEmpty()) {
      training =
          training.evaluatedOn(
              TrainingInputs.readBeside(run, options.tokens().evalInput(), TABLES)
                  .plan(start.model().toString(), settings, 0)
                  .rows());
    }
    Map<String, Number> figures =
        new TreeMap<>(
            NewModel.isShape(options.training().student().model())
                ? training.plan(start.config()).figures()
                : training.plan().figures());
    figures.putAll(plan.figures());
    return figures;
  }

  private static ModelCard card(
      JobRun run, PretrainOptions options, TrainingInputs inputs, PretrainSummary summary)
      throws IOException {
    String model = options.training().student().model();
    boolean shape = NewModel.isShape(model);
    ModelCard card =
        new ModelCard(
            "Pre-training of " + model,
            shape ? "fresh weights of the shape " + model : model,
            shape ? Optional.empty() : BaseModelTerms.of(Path.of(model)).license(),
            inputs.sources(),
            OptionsBinder.of(PretrainOptions.class).effective(options),
            summary.figures());
    for (String name : List.of("loss", "eval_loss")) {
      card.addCurve(name, TrainingInputs.curve(run, name));
    }
    return card;
  }
}
