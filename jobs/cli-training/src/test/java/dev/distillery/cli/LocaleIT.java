package dev.distillery.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.distillery.core.teacher.testing.FakeAnswer;
import dev.distillery.core.teacher.testing.FakeLlmServer;
import dev.distillery.core.teacher.testing.FakeRequest;
import dev.distillery.core.teacher.testing.FetchedModel;
import dev.distillery.core.teacher.testing.ScriptedTeacher;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Every command under {@code LC_ALL=C}, as cron and slim images start it, with texts, paths and
 * outputs beyond ASCII. A shell does all that touches such paths: this JVM may have no locale
 * either.
 */
class LocaleIT {
  private static final long LONGEST_MINUTES = 15;

  /**
   * Each command writes what it prints into a file of its name. Four have a process of their own,
   * whose words and streams are the system's; the others share one, {@link ManyCommands}.
   */
  private static final String SCRIPT =
      """
      set -euo pipefail
      export LC_ALL=C OPENAI_API_KEY=none
      launcher=$1 golden=$2 url=$3 seeds=$4 classes=$5
      fail() {
        echo "$1 failed: $(cat "$1.err" many.err)"
        exit 1
      }
      alone() {
        local name=$1
        shift
        "$launcher" "$@" --warehouse Wärehouse -- --master 'local[2]' > "$name.out" 2> "$name.err" || fail "$name"
      }
      coproc many { exec "$launcher" pipeline -- --class dev.distillery.cli.ManyCommands --driver-class-path "$classes" --master 'local[2]' 2> many.err; }
      process=$many_PID
      run() {
        local said=
        printf '%s\\0' "$@" --warehouse Wärehouse '' >&"${many[1]}"
        while read -r said <&"${many[0]}" && [[ $said != 'exit '* ]]; do :; done
        [[ $said == 'exit 0' ]] || fail "$1"
      }
      mkdir 日本
      cp -r "$golden" 日本/modell
      echo '{"id": "ü1", "conversations": [{"from": "human", "value": "Welcher Fluß ist bei Köln, 日本 😀?"}, {"from": "gpt", "value": "Der Rhein fließt dort, ganz gewiß."}]}' > 日本/größe.json
      alone ingest ingest --source sharegpt --rules none --input 日本/größe.json --source-name Überlieferung --license CC0-1.0 --run-id a
      alone show show conversations@a
      run dedup dedup --input conversations@a --tokenizer unicode --run-id b
      run curate curate --input conversations@b --use commercial --run-id c
      run curated show conversations@c
      cat > 日本/rezept.yaml << 'Y'
      stages:
        zuerst:
          job: ingest
          options:
            source: sharegpt
            rules: none
            input: 日本/größe.json
            source-name: Überlieferung
            license: CC0-1.0
      Y
      run pipeline pipeline --recipe 日本/rezept.yaml --set out=日本/aus --run-id p
      test -s 日本/aus/pipeline.html
      run runs runs --json
      echo '{"id": "ü2", "prompt": "Grüße an 日本 😀"}' > 日本/fragen.jsonl
      run complete complete --input 日本/fragen.jsonl --teacher openai --model fake-model-mini --base-url "$url" --run-id d
      run completed show completions@d
      alone prompt complete --prompt "Flüße 日本 😀" --teacher openai --model fake-model-mini --base-url "$url"
      head -n 20 "$seeds" | sed 's/"instruction": "/"instruction": "In Köln: /' > 日本/aufgaben.jsonl
      run generate generate --seed-tasks 日本/aufgaben.jsonl --num-instructions 2 --requests-per-round 2 --teacher openai --model fake-model --base-url "$url"
      echo '{"id": "ü3", "text": "Köln 日本 😀"}' > 日本/texte.jsonl
      alone logprobs logprobs --model 日本/modell --input 日本/texte.jsonl --output 日本/maße.jsonl
      cp 日本/maße.jsonl measures.jsonl
      run inspect inspect --model 日本/modell
      echo 'Fluß, 日本 😀?' > 日本/gesagt.txt
      "$launcher" chat --model 日本/modell --system Köln --max-new-tokens 4 --warehouse Wärehouse < 日本/gesagt.txt > chatted 2> chat.err || fail chat
      for turn in 1 2; do
        rm -f serve.err
        "$launcher" serve --model 日本/modell --port 0 --run-id w --warehouse Wärehouse > served 2> serve.err & serving=$!
        until grep -q 'http://127' serve.err 2> serve.unread; do kill -0 $serving || fail serve; sleep 0.2; done
        kill $serving
        wait $serving || fail serve
      done
      run export export --model 日本/modell --format gguf --output 日本/schüler.gguf
      test -s 日本/schüler.gguf
      run sft sft --model 日本/modell --input conversations@c --max-steps 1 --batch-size 1 --max-length 64 --output-dir 日本/geübt
      test -s 日本/geübt/model.safetensors
      echo '{"id": "ü4", "prompt": [{"role": "user", "content": "Köln?"}], "chosen": "Köln 日本", "rejected": "nein"}' > 日本/paare.jsonl
      run reward reward --model 日本/modell --input 日本/paare.jsonl --eval-input 日本/paare.jsonl --max-steps 1 --batch-size 1 --max-length 64 --output-dir 日本/urteil
      test -s 日本/urteil/model.safetensors -a -s 日本/urteil/held-out.html
      run score score --model 日本/urteil --input 日本/paare.jsonl --best-of 2
      run ppo ppo --model 日本/geübt --input conversations@c --reward count:ü=1 --max-steps 1 --rollout-batch-size 2 --mini-batch-size 1 --response-length 4 --max-length 64 --output-dir 日本/belohnt
      test -s 日本/belohnt/model.safetensors
      echo '{"prompt": [{"role": "user", "content": "Fluß bei Köln 日本?"}], "chosen": "Der Rhein fließt dort", "rejected": "Die Donau 😀"}' > 日本/vergleiche.jsonl
      run dpo dpo --model 日本/geübt --input 日本/vergleiche.jsonl --max-steps 1 --batch-size 1 --max-length 64 --output-dir 日本/verglichen
      test -s 日本/verglichen/model.safetensors
      echo '{"id": "ü5", "frage": "Fluß bei Köln 日本?", "antwort": "Rhein 😀"}' > 日本/prüfung.jsonl
      echo '{"name": "koeln", "input": "prüfung.jsonl", "prompt": "{frage}", "answer": "{antwort}", "metrics": ["acc"]}' > 日本/prüfung.yaml
      run evaluate evaluate --model 日本/modell --tasks 日本/prüfung.yaml --output 日本/zeugnis.html --run-id e
      test -s 日本/zeugnis.html
      run evaluated show evaluations@e
      run report report --input evaluations@e --output 日本/bericht.html
      grep -q evaluations@e 日本/bericht.html
      run judge judge --form single --input completions@d --teacher openai --model fake-model-mini --base-url "$url" --dry-run
      run rate rate --form rating --input completions@d --output 日本/bewerten.html --run-id r
      test -s 日本/bewerten.html
      echo '{"text": "Der Rhein fließt bei Köln, und 日本 liegt am Meer 😀."}' > 日本/lesen.jsonl
      run pretrain pretrain --model stories-260k --tokenizer-from 日本/modell --input 日本/lesen.jsonl --max-steps 1 --batch-size 1 --max-length 16 --output-dir 日本/gelesen
      test -s 日本/gelesen/model.safetensors
      exec {many[1]}>&-
      wait "$process"
      find . -name '*[?]*' -o -name '*\\357\\277\\275*' > broken-names
      """;

  @TempDir Path folder;

  @Test
  void everyCommandTakesAndGivesTextsAndPathsBeyondAscii() throws Exception {
    Path root = FetchedModel.root();
    Path script = Files.writeString(folder.resolve("script"), SCRIPT);
    for (String line : Files.readAllLines(root.resolve("jobs/cli-training/target/commands"))) {
      String command = line.substring(0, line.indexOf(' '));
      assertThat(SCRIPT).as(command).contains(" " + command + " ");
    }
    try (FakeLlmServer server = FakeLlmServer.start(LocaleIT::answer)) {
      Process process =
          new ProcessBuilder(
                  List.of(
                      "bash",
                      script.toString(),
                      root.resolve("submit/distillery").toString(),
                      root.resolve("common/model/src/test/resources/golden/student").toString(),
                      server.baseUrl(),
                      root.resolve("conf/seed_tasks.jsonl").toString(),
                      root.resolve("jobs/cli-training/target/test-classes").toString()))
              .directory(folder.toFile())
              .redirectErrorStream(true)
              .redirectOutput(folder.resolve("said").toFile())
              .start();
      // A shell and a process that wait for each other hear of no interrupt.
      if (!process.waitFor(LONGEST_MINUTES, TimeUnit.MINUTES)) {
        Launched.kill(process);
      }
      assertThat(process.waitFor()).as(() -> read("said")).isZero();

      assertThat(server.log().requests())
          .extracting(FakeRequest::prompt)
          .contains("Grüße an 日本 😀", "Flüße 日本 😀")
          .anyMatch(prompt -> prompt.contains("In Köln: "))
          .noneMatch(prompt -> prompt.contains("\uFFFD") || prompt.contains("??"));
    }
    assertThat(read("show.out")).contains("Welcher Fluß ist bei Köln, 日本 😀?", "Überlieferung");
    assertThat(read("curated.out")).contains("Der Rhein fließt dort, ganz gewiß.");
    assertThat(read("completed.out")).contains("Reply to Grüße an 日本 😀", "ü2");
    assertThat(read("prompt.out")).contains("Reply to Flüße 日本 😀");
    assertThat(read("chatted")).contains("\"turns\":1").doesNotContain("not answered");
    assertThat(read("served")).contains("\"models\":[\"modell\"]");
    assertThat(read("measures.jsonl")).contains("\"id\":\"ü3\"");
    assertThat(read("evaluated.out")).contains("Fluß bei Köln 日本?", "Rhein 😀", "ü5");
    assertThat(read("broken-names")).isEmpty();
    try (var files = Files.list(folder)) {
      for (Path file : files.filter(path -> path.toString().endsWith(".out")).toList()) {
        assertThat(Files.readString(file)).as(file.toString()).doesNotContain("\uFFFD");
      }
    }
  }

  private static FakeAnswer answer(FakeRequest request) {
    return request.model().equals("fake-model-mini")
        ? FakeAnswer.says(request, "Reply to " + request.prompt())
        : new ScriptedTeacher().answer(request);
  }

  private String read(String name) {
    try {
      return Files.readString(folder.resolve(name));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
