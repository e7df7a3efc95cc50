package dev.distillery.model.template;

import java.util.List;

/** A template's words, read from the front. */
final class Words {
  /** Parts within parts: more than any published template has, and no danger to the stack. */
  private static final int DEEPEST = 100;

  private final List<Token> tokens;
  private int at;
  private int depth;

  Words(List<Token> tokens) {
    this.tokens = tokens;
  }

  Token peek() {
    return tokens.get(at);
  }

  Token peek(int ahead) {
    return tokens.get(Math.min(at + ahead, tokens.size() - 1));
  }

  Token next() {
    Token token = tokens.get(at);
    at = Math.min(at + 1, tokens.size() - 1);
    return token;
  }

  boolean isOperator(String text) {
    return peek().is(Token.Kind.OPERATOR, text);
  }

  boolean isName(String text) {
    return peek().is(Token.Kind.NAME, text);
  }

  boolean skipOperator(String text) {
    boolean there = isOperator(text);
    if (there) {
      next();
    }
    return there;
  }

  boolean skipName(String text) {
    boolean there = isName(text);
    if (there) {
      next();
    }
    return there;
  }

  void needOperator(String text) {
    if (!skipOperator(text)) {
      throw unexpected("'" + text + "'");
    }
  }

  void needName(String text) {
    if (!skipName(text)) {
      throw unexpected("'" + text + "'");
    }
  }

  String name() {
    if (peek().kind() != Token.Kind.NAME) {
      throw unexpected("a name");
    }
    return next().value();
  }

  void end(Token.Kind kind) {
    if (peek().kind() != kind) {
      throw unexpected(kind == Token.Kind.BLOCK_END ? "'%}'" : "'}}'");
    }
    next();
  }

  /** Goes into a part of a part. */
  void deeper() {
    if (++depth > DEEPEST) {
      throw error("more than " + DEEPEST + " parts lie within each other");
    }
  }

  void back() {
    depth--;
  }

  TemplateException unexpected(String expected) {
    Token token = peek();
    String found = token.kind() == Token.Kind.END ? "the end" : "'" + token.value() + "'";
    return error("expected " + expected + ", found " + found);
  }

  TemplateException error(String what) {
    return new TemplateException("Line " + peek().line() + " of the chat template: " + what);
  }
}
