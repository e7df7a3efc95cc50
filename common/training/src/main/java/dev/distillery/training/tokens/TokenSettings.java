package dev.distillery.training.tokens;

import dev.distillery.core.dialogue.TemplateInputs;
import java.io.Serializable;
import java.util.List;

/**
 * How rows become the rows of a token table; with the tokenizer and the input it decides every
 * token of it.
 *
 * @param template name of a chat template's preset; empty takes the model's own. Documents have
 *     none
 * @param trainOn what of a dialogue is learned
 * @param overLength what becomes of a row that is longer than {@code maxLength}
 * @param maxLength tokens of a row of the table at most, at least 2
 * @param packing how many rows of the input stand in one row of the table
 * @param eos id that ends a document, and that stands between texts of constant-length packing; -1
 *     where the model has none
 * @param classes what rows are labelled with, in the order of the head's outputs; empty but for
 *     {@link TrainOn#LABEL}
 * @param pairs how comparisons of answers become rows; {@link PairSettings#NONE} elsewhere
 * @param templateInputs what the model's own template is told beside the dialogue
 */
public record TokenSettings(
    String template,
    TrainOn trainOn,
    OverLength overLength,
    int maxLength,
    Packing packing,
    int eos,
    List<String> classes,
    PairSettings pairs,
    TemplateInputs templateInputs)
    implements Serializable {

  /** What of a dialogue is learned. Documents are learned whole. */
  public enum TrainOn {
    /** Every answer with the mark that closes it. */
    ALL_TURNS,
    /** The last answer with the mark that closes it. */
    LAST_TURN,
    /** Questions and the template's own texts too, as StackLLaMA did. */
    EVERYTHING,
    /** The answer is the name of a class, told from the text's last token. */
    LABEL
  }

  /** What becomes of a row that is too long. */
  public enum OverLength {
    /** Its end is left out. */
    CUT,
    /** A document goes on in further rows; a dialogue is parted at its turns. */
    SPLIT,
    /** It is rejected. */
    REJECT
  }

  /** How many rows of the input stand in one row of the table. */
  public enum Packing {
    /** One. */
    NONE,
    /** As many as fit, each seeing itself only; nothing is parted. */
    ISOLATED,
    /** Texts run on through rows of equal length, as in StackLLaMA: a row begins anywhere. */
    CONSTANT_LENGTH
  }

  /** Settings of rows with classes. */
  public TokenSettings(
      String template,
      TrainOn trainOn,
      OverLength overLength,
      int maxLength,
      Packing packing,
      int eos,
      List<String> classes) {
    this(
        template,
        trainOn,
        overLength,
        maxLength,
        packing,
        eos,
        classes,
        PairSettings.NONE,
        TemplateInputs.NONE);
  }

  /** Settings of comparisons, and of answers that are scored as those are. */
  public TokenSettings(String template, int maxLength, PairSettings pairs) {
    this(
        template,
        TrainOn.LAST_TURN,
        OverLength.CUT,
        maxLength,
        Packing.NONE,
        -1,
        List.of(),
        pairs,
        TemplateInputs.NONE);
  }

  /** Settings without classes. */
  public TokenSettings(
      String template,
      TrainOn trainOn,
      OverLength overLength,
      int maxLength,
      Packing packing,
      int eos) {
    this(template, trainOn, overLength, maxLength, packing, eos, List.of());
  }

  /** The same with what the model's own template is told beside the dialogue. */
  public TokenSettings told(TemplateInputs inputs) {
    return new TokenSettings(
        template, trainOn, overLength, maxLength, packing, eos, classes, pairs, inputs);
  }

  public TokenSettings {
    classes = List.copyOf(classes);
    if (maxLength < 2) {
      throw new IllegalArgumentException(
          "A row needs room for a token and the one before it, so a length of 2 or more: "
              + maxLength);
    }
  }

  /** Every setting by name, for a table's key. */
  String describe() {
    String text =
        "template=%s train_on=%s over_length=%s max_length=%s packing=%s eos=%s"
            .formatted(template, trainOn, overLength, maxLength, packing, eos);
    text += classes.isEmpty() ? "" : " classes=" + classes;
    text += pairs.equals(PairSettings.NONE) ? "" : " pairs=" + pairs;
    text += templateInputs.date().isEmpty() ? "" : " date=" + templateInputs.date();
    return templateInputs.hasArguments() ? text + " arguments=" + templateInputs.names() : text;
  }
}
