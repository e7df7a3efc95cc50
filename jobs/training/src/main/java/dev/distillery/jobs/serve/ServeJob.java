package dev.distillery.jobs.serve;

import dev.distillery.core.run.JobException;
import dev.distillery.core.run.Manual;
import dev.distillery.core.run.RunOptions;
import dev.distillery.core.run.RunOptionsBuilder;
import dev.distillery.core.teacher.Secret;
import dev.distillery.model.sample.EngineSettings;
import dev.distillery.model.sample.StudentEngine;
import dev.distillery.spark.job.Job;
import dev.distillery.spark.job.JobRun;
import dev.distillery.spark.job.Outcome;
import java.util.Optional;

/**
 * Answers clients of OpenAI's interface by a student, until it is told to end. See {@link #manual}.
 *
 * <pre>{@code
 * var student = AskedOptions.builder().model("models/student").build();
 * ServeOptions options = ServeOptions.builder().student(student).port(8000).build();
 * ServeSummary summary = new ServeJob().run(spark, options); // Until the process is told to end.
 * System.out.println(summary.answered() + " requests answered");
 * }</pre>
 */
public final class ServeJob implements Job<ServeOptions, ServeSummary> {
  private static final long TICK_MILLIS = 50;

  /** Tokens of prompts between two tokens of the answers: a tenth of a second for a small model. */
  private static final int PROMPT_TOKENS = 128;

  @Override
  public String name() {
    return "serve";
  }

  @Override
  public String purpose() {
    return "Serve a student over HTTP, as OpenAI's interface has it.";
  }

  @Override
  public Manual manual() {
    return Manual.of(
        """
        Answers POST /v1/chat/completions and /v1/completions, as clients of OpenAI's interface
        send them: streams, stop texts, seeds, several answers, log-probabilities, echo. GET
        /v1/models, /health and /metrics (OpenMetrics) say what is there. Requests that are there
        at the same time are decoded together; the same request with a seed, or at temperature 0,
        gets the same answer whatever else is asked. / is a page to talk with the student, or with
        two of them side by side; with --judgements people vote on it. Ends by SIGTERM or Ctrl-C, after what is in
        work is answered or --grace is over.
        """,
        "a model's files; no table.",
        "no table; with --judgements a file that is read as the table judgements.",
        "distillery serve --model SmolLM2-135M-Instruct.Q4_1.gguf --port 8000",
        "distillery serve --model base --adapter koala=out --judgements votes.jsonl",
        "distillery serve --model base --api-key-env SERVE_KEY --host 0.0.0.0");
  }

  @Override
  public Class<ServeOptions> optionsType() {
    return ServeOptions.class;
  }

  @Override
  public Class<ServeSummary> summaryType() {
    return ServeSummary.class;
  }

  @Override
  public boolean needsSpark() {
    return false;
  }

  @Override
  public RunOptions runOptions(ServeOptions options) {
    return options.run();
  }

  /** A server begins anew each time that it is started, whatever its id has done. */
  @Override
  public ServeOptions settled(ServeOptions options) {
    return ServeOptionsBuilder.builder(options)
        .run(RunOptionsBuilder.builder(options.run()).overwrite(true).build())
        .build();
  }

  @Override
  public Outcome<ServeSummary> perform(JobRun run, ServeOptions options) {
    Secret key = options.apiKeyEnv().map(ServeJob::key).orElse(Secret.NONE);
    EngineSettings settings =
        options
            .student()
            .settings(
                run.day(),
                options.concurrency(),
                options.requestTimeout(),
                1 + options.adapter().size(),
                PROMPT_TOKENS);
    var figures = new ServerFigures();
    try (var part = run.stop().endsItself();
        ServedModels models = ServedModels.open(options, settings)) {
      if (!run.dryRun()) {
        serve(run, options, models, key, figures);
      }
      ServerFigures.Counts counts = figures.counts();
      return Outcome.done(
          new ServeSummary(
              run.summary(),
              models.names(),
              counts.requests(),
              counts.answered(),
              counts.refused(),
              counts.left(),
              counts.promptTokens(),
              counts.writtenTokens()));
    }
  }

  private static Secret key(String variable) {
    return Optional.ofNullable(System.getenv(variable))
        .map(String::strip)
        .filter(value -> !value.isEmpty())
        .map(Secret::of)
        .orElseThrow(
            () ->
                JobException.invalid(
                    "Option --api-key-env: the environment variable '%s' is not set; set it to the key that clients give"
                        .formatted(variable)));
  }

  private static void serve(
      JobRun run, ServeOptions options, ServedModels models, Secret key, ServerFigures figures) {
    Optional<ChatVoteLog> votes = options.judgements().map(ChatVoteLog::open);
    var served = new StudentServer.Served(models, key, figures, votes);
    try (var server =
        StudentServer.start(served, options.host(), options.port(), options.queue())) {
      StudentEngine first = models.first();
      run.progress()
          .say(
              "Serving %s at %s/v1: %s tokens of context, %s answers at a time, %s; temperature and top_p are 1 where a request has none; until SIGTERM"
                  .formatted(
                      String.join(", ", models.names()),
                      server.address(),
                      first.context(),
                      first.rows(),
                      first.prompts().describe()));
      run.progress().say("A page to talk with it is at %s/".formatted(server.address()));
      if (key.isEmpty() && !server.isLocal()) {
        run.progress()
            .say("Warning: who reaches this address may ask, for want of --api-key-env VAR");
      }
      while (!run.stop().requested()) {
        sleep();
      }
      server.drain();
      while (figures.inWork() > 0 && !run.stop().expired()) {
        sleep();
      }
    } finally {
      votes.ifPresent(ChatVoteLog::close);
    }
  }

  private static void sleep() {
    try {
      Thread.sleep(TICK_MILLIS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw JobException.invalid("The server was interrupted");
    }
  }
}
