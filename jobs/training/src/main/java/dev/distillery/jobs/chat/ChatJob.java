package dev.distillery.jobs.chat;

import dev.distillery.core.run.Manual;
import dev.distillery.core.run.ProgressListener;
import dev.distillery.core.run.RunOptions;
import dev.distillery.core.run.RunOptionsBuilder;
import dev.distillery.core.teacher.Sampling;
import dev.distillery.model.format.AdapterFiles;
import dev.distillery.model.sample.EngineSettings;
import dev.distillery.model.sample.StudentEngine;
import dev.distillery.spark.job.Job;
import dev.distillery.spark.job.JobRun;
import dev.distillery.spark.job.Outcome;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;

/**
 * A dialogue in a terminal. See {@link #manual}.
 *
 * <pre>{@code
 * var student = AskedOptions.builder().model("models/student").build();
 * ChatOptions options = ChatOptions.builder().student(student).temperature(0).build();
 * ChatSummary summary = new ChatJob().run(spark, options); // Until standard input ends.
 * System.out.println(summary.turns() + " turns");
 * }</pre>
 */
public final class ChatJob implements Job<ChatOptions, ChatSummary> {
  private static final Duration LONGEST_ANSWER = Duration.ofMinutes(30);

  @Override
  public String name() {
    return "chat";
  }

  @Override
  public String purpose() {
    return "Talk to a student, or to two side by side.";
  }

  @Override
  public Manual manual() {
    return Manual.of(
        """
        Reads a line at a time from standard input and prints the answer as it is written; all that
        was said before is read again with it. /reset forgets it, /system TEXT begins anew with a
        system message, /retry draws another answer, /quit or the end of the input ends. With
        --with two students answer the same, each by its own history. The same lines, options and
        seed give the same answers.
        """,
        "a model's files and standard input; no table.",
        "no table.",
        "distillery chat --model SmolLM2-135M-Instruct.Q4_1.gguf",
        "distillery chat --model base --with adapter --temperature 0");
  }

  @Override
  public Class<ChatOptions> optionsType() {
    return ChatOptions.class;
  }

  @Override
  public Class<ChatSummary> summaryType() {
    return ChatSummary.class;
  }

  @Override
  public boolean needsSpark() {
    return false;
  }

  @Override
  public RunOptions runOptions(ChatOptions options) {
    return options.run();
  }

  /** A dialogue begins anew each time, whatever its id has done. */
  @Override
  public ChatOptions settled(ChatOptions options) {
    return ChatOptionsBuilder.builder(options)
        .run(RunOptionsBuilder.builder(options.run()).overwrite(true).build())
        .build();
  }

  @Override
  public Outcome<ChatSummary> perform(JobRun run, ChatOptions options) throws InterruptedException {
    List<StudentEngine> engines = new ArrayList<>();
    try (var part = run.stop().endsItself()) {
      List<ChatPartner> partners = partners(run, options, engines);
      var loop =
          new ChatLoop(
              partners,
              sampling(options),
              options.system().orElse(""),
              options.run().randomSeed(),
              System.out,
              () -> run.stop().requested());
      if (!run.dryRun()) {
        for (int i = 0; i < partners.size(); i++) {
          run.progress().say(partners.get(i).name() + ": " + engines.get(i).prompts().describe());
        }
        loop.talk(System.in, StandardCharsets.UTF_8, ProgressListener.isTerminal(0));
      }
      return Outcome.done(
          new ChatSummary(run.summary(), loop.turns(), loop.promptTokens(), loop.written()));
    } finally {
      engines.forEach(StudentEngine::close);
    }
  }

  private static Sampling sampling(ChatOptions options) {
    return new Sampling(
        options.maxNewTokens(),
        OptionalDouble.of(options.temperature()),
        OptionalDouble.of(options.topP()),
        OptionalInt.empty(),
        OptionalDouble.empty(),
        OptionalDouble.empty(),
        OptionalDouble.empty(),
        OptionalLong.empty(),
        List.of());
  }

  private static List<ChatPartner> partners(
      JobRun run, ChatOptions options, List<StudentEngine> engines) {
    Path model = Path.of(options.student().model());
    EngineSettings settings =
        options.student().settings(run.day(), 1, LONGEST_ANSWER, 2, Integer.MAX_VALUE);
    List<ChatPartner> partners = new ArrayList<>();
    partners.add(
        partner(
            options
                .student()
                .open("--model " + model, model, options.adapter().map(Path::of), settings),
            options.adapter().map(Path::of).orElse(model),
            engines));
    options
        .with()
        .map(Path::of)
        .ifPresent(
            with -> {
              boolean adapter = AdapterFiles.isAdapter(with);
              partners.add(
                  partner(
                      options
                          .student()
                          .open(
                              "--with " + with,
                              adapter ? model : with,
                              adapter ? Optional.of(with) : Optional.empty(),
                              settings),
                      with,
                      engines));
            });
    return partners;
  }

  private static ChatPartner partner(StudentEngine engine, Path from, List<StudentEngine> engines) {
    engines.add(engine);
    return new ChatPartner(String.valueOf(from.getFileName()), engine);
  }
}
