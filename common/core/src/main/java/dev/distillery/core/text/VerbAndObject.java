package dev.distillery.core.text;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Arrays;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import opennlp.tools.lemmatizer.LemmatizerME;
import opennlp.tools.lemmatizer.LemmatizerModel;
import opennlp.tools.postag.POSModel;
import opennlp.tools.postag.POSTaggerME;
import opennlp.tools.tokenize.TokenizerME;
import opennlp.tools.tokenize.TokenizerModel;

/**
 * The first verb of an English instruction and its direct object, as lemmas: what Self-Instruct
 * draws its wheel of. It is told from parts of speech (Apache OpenNLP, models of Universal
 * Dependencies), not from a parse: the head of the first noun phrase behind the verb.
 *
 * <p>The models take some 30 MB of memory, once in a JVM, from the first call on.
 */
public record VerbAndObject(String verb, String object) {
  /** What a person asks for stands at the beginning; a tagger's time grows with the text. */
  private static final int MAX_CHARS = 400;

  private static final String VERB = "VERB";
  private static final Set<String> NOUNS = Set.of("NOUN", "PROPN");

  /** What may stand between a verb and the head of its object. */
  private static final Set<String> BEFORE_NOUN = Set.of("DET", "ADJ", "NUM", "PRON", "ADV");

  /** Words that carry no request of their own: the verb behind them is looked at. */
  private static final Set<String> CARRIERS = Set.of("let", "help", "try", "want", "need", "like");

  /** Words that a sentence is begun with before it says what is asked. */
  private static final Set<String> CONDITIONS =
      Set.of("given", "using", "in", "for", "with", "from");

  /** "Lay out a plan." */
  private static final Set<String> PARTICLES = Set.of("out", "up", "down", "off", "over", "in");

  private static final Set<String> ARTICLES = Set.of("DET", "NUM", "PRON");

  /** Tags that an imperative is taken for. */
  private static final Set<String> OPEN = Set.of("NOUN", "PROPN", "ADJ", "INTJ", "X");

  /** Loaded where a text is asked for first. A model may be shared by threads, its users not. */
  private static final class Models {
    static final TokenizerModel TOKENS =
        read("opennlp-en-ud-ewt-tokens-1.3-2.5.4.bin", TokenizerModel::new);
    static final POSModel PARTS = read("opennlp-en-ud-ewt-pos-1.3-2.5.4.bin", POSModel::new);
    static final LemmatizerModel LEMMAS =
        read("opennlp-en-ud-ewt-lemmas-1.3-2.5.4.bin", LemmatizerModel::new);

    private interface Reader<T> {
      T read(InputStream in) throws IOException;
    }

    private static <T> T read(String file, Reader<T> reader) {
      try (InputStream in = VerbAndObject.class.getResourceAsStream("/" + file)) {
        return reader.read(Objects.requireNonNull(in, file + " is not on the class path"));
      } catch (IOException e) {
        throw new UncheckedIOException("Cannot read the model " + file, e);
      }
    }
  }

  /** Tells verbs and objects; for one thread. */
  public static final class Finder {
    private final TokenizerME tokenizer = new TokenizerME(Models.TOKENS);
    private final POSTaggerME tagger = new POSTaggerME(Models.PARTS);
    private final LemmatizerME lemmatizer = new LemmatizerME(Models.LEMMAS);

    /** The verb and object of a text's first request; empty where none is found. */
    public Optional<VerbAndObject> of(String text) {
      String line = text.strip();
      int end =
          line.offsetByCodePoints(0, Math.min(MAX_CHARS, line.codePointCount(0, line.length())));
      String[] words = tokenizer.tokenize(line.substring(0, end).replaceAll("\\s+", " "));
      if (words.length == 0) {
        return Optional.empty();
      }
      // The tagger takes an imperative at the beginning for a noun or a name; behind "to" for what
      // it is.
      String[] seen = words.clone();
      seen[0] = seen[0].toLowerCase(Locale.ROOT);
      String[] tags = tagger.tag(seen);
      if (OPEN.contains(tags[0])) {
        String[] told = new String[seen.length + 1];
        told[0] = "to";
        System.arraycopy(seen, 0, told, 1, seen.length);
        String[] behind = Arrays.copyOfRange(tagger.tag(told), 1, told.length);
        tags = VERB.equals(behind[0]) ? behind : tags;
        // "Plan a picnic": no noun stands before an article.
        boolean article = tags.length > 1 && ARTICLES.contains(tags[1]);
        tags[0] = article && NOUNS.contains(tags[0]) ? VERB : tags[0];
      }
      String[] lemmas = lemmatizer.lemmatize(seen, tags);
      for (int i = afterCondition(seen); i < words.length; i++) {
        if (!VERB.equals(tags[i])) {
          continue;
        }
        int noun = object(seen, tags, i + 1);
        String verb = word(lemmas[i], seen[i]);
        if (noun >= 0) {
          return Optional.of(new VerbAndObject(verb, word(lemmas[noun], seen[noun])));
        }
        if (!CARRIERS.contains(verb)) {
          return Optional.empty();
        }
      }
      return Optional.empty();
    }

    /** "Given a table, write a query": what is asked stands behind the comma. */
    private static int afterCondition(String[] words) {
      int comma = Arrays.asList(words).indexOf(",");
      return CONDITIONS.contains(words[0]) && comma > 0 ? comma + 1 : 0;
    }

    private static String word(String lemma, String word) {
      return ("O".equals(lemma) ? word : lemma).toLowerCase(Locale.ROOT);
    }

    /** "The repeated entries", "the living things". */
    private static boolean isParticiple(String[] words, String[] tags, int at) {
      return VERB.equals(tags[at])
          && BEFORE_NOUN.contains(tags[at - 1])
          && (words[at].endsWith("ed") || words[at].endsWith("ing"));
    }

    /** The last noun of the phrase that begins here, or -1. */
    private static int object(String[] words, String[] tags, int from) {
      int at = from < words.length && PARTICLES.contains(words[from]) ? from + 1 : from;
      int noun = -1;
      for (; at < words.length; at++) {
        if (NOUNS.contains(tags[at])) {
          noun = at;
        } else if (words[at].equals("'s")) {
          // Whose it is, not what it is.
          noun = -1;
        } else if (!words[at].equals("-")
            && (noun >= 0 || !(BEFORE_NOUN.contains(tags[at]) || isParticiple(words, tags, at)))) {
          break;
        }
      }
      return noun;
    }
  }
}
