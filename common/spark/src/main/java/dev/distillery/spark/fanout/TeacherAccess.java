package dev.distillery.spark.fanout;

import dev.distillery.core.run.ExitCode;
import dev.distillery.core.run.JobException;
import dev.distillery.core.run.ModelHash;
import dev.distillery.core.run.Summary;
import dev.distillery.core.teacher.Price;
import dev.distillery.core.teacher.Prices;
import dev.distillery.core.teacher.Secret;
import dev.distillery.core.teacher.Teacher;
import dev.distillery.core.teacher.TeacherException;
import dev.distillery.core.teacher.TeacherKind;
import dev.distillery.core.teacher.TeacherOptions;
import dev.distillery.core.teacher.TeacherSettings;
import dev.distillery.core.teacher.Teachers;
import dev.distillery.spark.job.JobRun;
import dev.distillery.spark.job.Outcome;
import dev.distillery.spark.job.ShippedModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;
import org.apache.spark.SparkContext;

/**
 * From what a user says of a teacher to a run that may ask it: settings, key, price, the check that
 * it answers.
 */
public final class TeacherAccess {
  private static final String NO_FIELDS = "{}";

  private TeacherAccess() {}

  /**
   * Opens a run's way to its teacher, once the teacher has answered a check.
   *
   * @throws JobException where the settings do not fit the kind, the key cannot be read, or the
   *     teacher does not answer
   */
  public static Fanout open(JobRun run, TeacherOptions options) {
    return open(run, options, NO_FIELDS);
  }

  /**
   * The same, once the teacher takes the fields that requests will have.
   *
   * @param extraBody as {@link dev.distillery.core.teacher.TeacherRequest#extraBody}
   */
  public static Fanout open(JobRun run, TeacherOptions options, String extraBody) {
    Secret key = key(options);
    Preflight preflight = preflight(settings(run, options), key, extraBody);
    TeacherSettings settings = preflight.settings();
    run.note("teacher", preflight.answered());
    if (preflight.answered().contains("; warning: ")) {
      run.progress().say(preflight.answered());
    }
    SparkContext context = run.spark().sparkContext();
    if (settings.server().isEmpty() && !context.isLocal()) {
      // Executors on other machines are sent the driver's file, and must not use more cores than
      // Spark gave them.
      ShippedModel.ship(context, settings.model());
      settings = settings.withThreads(context.getConf().getInt("spark.executor.cores", 0));
    }
    var spec =
        new FanoutSpec(
            run.id(),
            run.warehouse().ledger(run.id()).getParent().toString(),
            settings,
            price(options),
            FanoutLimits.of(options.access()),
            new RetryPolicy(options.access().maxAttempts()));
    Fanout fanout = Fanout.open(run.spark(), spec, key);
    fanout.follow(run);
    return fanout;
  }

  /**
   * Looks at all that opening needs, which is settings, key, price, and that the teacher answers
   * and knows its model. Asks for no completion.
   *
   * @throws JobException as {@link #open(JobRun, TeacherOptions)}
   */
  public static void look(JobRun run, TeacherOptions options) {
    look(run, options, NO_FIELDS);
  }

  private static void look(JobRun run, TeacherOptions options, String extraBody) {
    Fanout.checkSession(run.spark());
    Fanout.checkLimits(FanoutLimits.of(options.access()), price(options), modelName(options));
    run.progress()
        .say("Teacher: " + preflight(settings(run, options), key(options), extraBody).answered());
  }

  /**
   * The end of a dry run that has its plan: {@link #look}.
   *
   * @param plan is shown also where the run itself would fail
   */
  public static <S extends Summary> Outcome<S> tried(JobRun run, TeacherOptions options, S plan) {
    return tried(run, options, NO_FIELDS, plan);
  }

  /** The same for requests that will have these fields. */
  public static <S extends Summary> Outcome<S> tried(
      JobRun run, TeacherOptions options, String extraBody, S plan) {
    try {
      look(run, options, extraBody);
      return Outcome.done(plan);
    } catch (JobException e) {
      return Outcome.stopped(e.exitCode(), String.valueOf(e.getMessage()), plan);
    }
  }

  /**
   * The model's name in requests, rows and ids: a file's name without its folder, which differs
   * from machine to machine.
   */
  public static String modelName(TeacherOptions options) {
    String model = model(options);
    return options.teacher().isServer() ? model : String.valueOf(Path.of(model).getFileName());
  }

  /**
   * A hash of the files that answer, which a name does not tell apart; nothing of a server's model,
   * and where there is no such file.
   */
  public static Optional<String> fingerprint(TeacherOptions options) {
    if (options.teacher().isServer() || !Files.exists(Path.of(model(options)))) {
      return Optional.empty();
    }
    Path model = Path.of(model(options));
    try {
      // Recordings lie in folders of folders.
      return Optional.of(
          options.teacher() == TeacherKind.REPLAY ? ModelHash.ofTree(model) : ModelHash.of(model));
    } catch (IOException e) {
      throw new JobException(ExitCode.INVALID, "Option --model: cannot read '" + model + "'", e);
    }
  }

  /**
   * What the model costs; empty where nobody has said.
   *
   * @throws JobException where the file of prices cannot be read
   */
  public static Optional<Price> price(TeacherOptions options) {
    Prices prices = Prices.packaged();
    if (options.access().prices().isPresent()) {
      String file = options.access().prices().get();
      try {
        prices = prices.with(Prices.parse(Files.readString(Path.of(file)), file));
      } catch (IOException e) {
        throw new JobException(ExitCode.INVALID, "Option --prices: cannot read '" + file + "'", e);
      }
    }
    return prices.of(options.teacher(), modelName(options));
  }

  private static String model(TeacherOptions options) {
    return options.model().or(options.teacher()::defaultModel).orElseThrow();
  }

  private static TeacherSettings settings(JobRun run, TeacherOptions options) {
    return new TeacherSettings(
            options.teacher().word(),
            model(options),
            options.teacher().isServer() ? options.access().baseUrl() : "",
            options.access().api().name().toLowerCase(Locale.ROOT),
            options.access().requestTimeout(),
            options.access().concurrency())
        .withChatTemplate(options.chatTemplate().orElse(""))
        .withTemplateInputs(options.template().on(run.day()));
  }

  /**
   * The key out of its file or variable, on the driver only; none where the variable is not set.
   */
  private static Secret key(TeacherOptions options) {
    if (options.access().apiKeyFile().isPresent()) {
      Path file = Path.of(options.access().apiKeyFile().get());
      try {
        return Secret.of(Files.readString(file).strip());
      } catch (IOException e) {
        throw new JobException(
            ExitCode.INVALID, "Option --api-key-file: cannot read '" + file + "'", e);
      }
    }
    return Optional.ofNullable(System.getenv(options.access().apiKeyEnv()))
        .map(String::strip)
        .filter(key -> !key.isEmpty())
        .map(Secret::of)
        .orElse(Secret.NONE);
  }

  /**
   * The teacher's answer to a check.
   *
   * @param settings with what the check has found out
   */
  private record Preflight(String answered, TeacherSettings settings) {}

  private static Preflight preflight(TeacherSettings settings, Secret key, String extraBody) {
    try (Teacher teacher = Teachers.open(settings, key)) {
      String answered = teacher.preflight();
      teacher.check(extraBody);
      return new Preflight(answered, teacher.found(settings));
    } catch (IllegalArgumentException e) {
      throw new JobException(ExitCode.INVALID, String.valueOf(e.getMessage()), e);
    } catch (TeacherException e) {
      throw new JobException(
          e.retryable() ? ExitCode.TEMPORARY : ExitCode.INVALID, String.valueOf(e.getMessage()), e);
    }
  }
}
