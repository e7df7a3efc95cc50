package dev.distillery.model.tokenizer;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The presets of {@link ChatTemplate}, each as what its turns stand between. */
final class ChatStyles {
  /** Stands for the spelling of the model's EOS. */
  static final String EOS = "{eos}";

  private static final Map<String, Style> STYLES = new LinkedHashMap<>();

  static {
    STYLES.put("chatml", chatml(""));
    STYLES.put(
        "smollm2", chatml("You are a helpful AI assistant named SmolLM, trained by Hugging Face"));
    STYLES.put(
        "llama3",
        new Style(
            "<|begin_of_text|>",
            "",
            "<|start_header_id|>system<|end_header_id|>\n\n",
            "<|eot_id|>",
            "<|start_header_id|>user<|end_header_id|>\n\n",
            "<|eot_id|>",
            "<|start_header_id|>assistant<|end_header_id|>\n\n",
            "",
            "<|eot_id|>",
            "",
            true,
            false));
    STYLES.put(
        "llama2",
        new Style(
            "",
            "",
            "<s>[INST] <<SYS>>\n",
            "\n<</SYS>>\n\n",
            "<s>[INST] ",
            " [/INST]",
            "",
            " ",
            " </s>",
            "",
            true,
            true));
    STYLES.put(
        "vicuna",
        new Style(
            "",
            "A chat between a curious user and an artificial intelligence assistant. The assistant"
                + " gives helpful, detailed, and polite answers to the user's questions.",
            "",
            " ",
            "USER: ",
            " ",
            "ASSISTANT:",
            " ",
            EOS,
            "",
            false,
            false));
    STYLES.put(
        "koala",
        new Style(
            "BEGINNING OF CONVERSATION: ",
            "",
            "",
            " ",
            "USER: ",
            " ",
            "GPT:",
            "",
            EOS,
            "",
            false,
            false));
    STYLES.put(
        "alpaca",
        new Style(
            "",
            "Below is an instruction that describes a task. Write a response that appropriately"
                + " completes the request.",
            "",
            "\n\n",
            "### Instruction:\n",
            "\n\n",
            "### Response:",
            "",
            EOS,
            "",
            false,
            false));
    STYLES.put(
        "stack-qa",
        new Style("", "", "", "\n\n", "Question: ", "\n\n", "Answer: ", "", EOS, "", false, false));
  }

  private static Style chatml(String defaultSystem) {
    return new Style(
        "",
        defaultSystem,
        "<|im_start|>system\n",
        "<|im_end|>\n",
        "<|im_start|>user\n",
        "<|im_end|>\n",
        "<|im_start|>assistant\n",
        "",
        "<|im_end|>",
        "\n",
        false,
        false);
  }

  /** What each kind of turn stands between. Every text may be empty. */
  record Style(
      String begin,
      String defaultSystem,
      String systemHeader,
      String systemEnd,
      String userHeader,
      String userEnd,
      String assistantHeader,
      String answerPrefix,
      String answerEnd,
      String between,
      boolean trims,
      boolean systemInsideUser) {}

  private ChatStyles() {}

  /** The presets' names. */
  static List<String> names() {
    return Collections.unmodifiableList(new ArrayList<>(STYLES.keySet()));
  }

  /** A preset by its name; null where there is none. */
  static @Nullable Style get(String name) {
    return STYLES.get(name);
  }
}
