// Calls a function with the arguments on standard input, one JSON document {"args": […]}, and writes its result to
// descriptor 3 as JSON. The function's type decides how each argument is read.
#pragma once
#include <bits/stdc++.h>
#include <unistd.h>

namespace r1_call {

struct Reader {
  std::string text;
  std::size_t at = 0;

  [[noreturn]] void fail(const std::string& expected) {
    std::cerr << "argument: expected " << expected << " at character " << at << "\n";
    std::_Exit(3);
  }
  char peek() {
    while (at < text.size() && std::isspace(static_cast<unsigned char>(text[at]))) ++at;
    return at < text.size() ? text[at] : '\0';
  }
  bool take(char wanted) {
    if (peek() != wanted) return false;
    ++at;
    return true;
  }
  void expect(char wanted) {
    if (!take(wanted)) fail(std::string("'") + wanted + "'");
  }
  bool word(const std::string& wanted) {
    peek();
    if (text.compare(at, wanted.size(), wanted) != 0) return false;
    at += wanted.size();
    return true;
  }
  std::string number() {
    peek();
    std::size_t from = at;
    while (at < text.size() && std::strchr("+-.eE0123456789", text[at])) ++at;
    if (from == at) fail("a number");
    return text.substr(from, at - from);
  }
  unsigned hex4() {
    unsigned value = static_cast<unsigned>(std::stoul(text.substr(at, 4), nullptr, 16));
    at += 4;
    return value;
  }
  void utf8(std::string& out, unsigned code) {
    if (code < 0x80) out += static_cast<char>(code);
    else if (code < 0x800) (out += static_cast<char>(0xC0 | code >> 6)) += static_cast<char>(0x80 | (code & 63));
    else if (code < 0x10000)
      ((out += static_cast<char>(0xE0 | code >> 12)) += static_cast<char>(0x80 | (code >> 6 & 63))) +=
          static_cast<char>(0x80 | (code & 63));
    else
      (((out += static_cast<char>(0xF0 | code >> 18)) += static_cast<char>(0x80 | (code >> 12 & 63))) +=
       static_cast<char>(0x80 | (code >> 6 & 63))) += static_cast<char>(0x80 | (code & 63));
  }
  std::string quoted() {
    expect('"');
    std::string out;
    while (at < text.size() && text[at] != '"') {
      if (text[at] != '\\') {
        out += text[at++];
        continue;
      }
      const char escape = text[at + 1];
      at += 2;
      if (escape == 'u') {
        unsigned code = hex4();
        if (code >= 0xD800 && code < 0xDC00 && text.compare(at, 2, "\\u") == 0) {
          at += 2;
          code = 0x10000 + ((code - 0xD800) << 10) + (hex4() - 0xDC00);
        }
        utf8(out, code);
      } else {
        const std::string from = "bfnrt", to = "\b\f\n\r\t";
        const auto place = from.find(escape);
        out += place == std::string::npos ? escape : to[place];
      }
    }
    expect('"');
    return out;
  }
};

template <class T> struct Json;

template <> struct Json<bool> {
  static bool read(Reader& in) {
    if (in.word("true")) return true;
    if (!in.word("false")) in.fail("true or false");
    return false;
  }
  static void write(std::ostream& out, bool value) { out << (value ? "true" : "false"); }
};

template <> struct Json<char> {
  static char read(Reader& in) {
    const std::string text = in.quoted();
    if (text.size() != 1) in.fail("a text of one character");
    return text[0];
  }
  static void write(std::ostream& out, char value);
};

template <> struct Json<std::string> {
  static std::string read(Reader& in) { return in.quoted(); }
  static void write(std::ostream& out, const std::string& value) {
    out << '"';
    for (unsigned char each : value) {
      if (each == '"' || each == '\\') out << '\\' << each;
      else if (each < 0x20) out << "\\u" << std::hex << std::setw(4) << std::setfill('0') << int(each) << std::dec;
      else out << each;
    }
    out << '"';
  }
};
inline void Json<char>::write(std::ostream& out, char value) { Json<std::string>::write(out, std::string(1, value)); }

template <> struct Json<const char*> {
  static void write(std::ostream& out, const char* value) { Json<std::string>::write(out, value); }
};

// Includes GNU's 128-bit integers.
template <class T>
  requires std::is_arithmetic_v<T>
struct Json<T> {
  static T read(Reader& in) {
    const std::string text = in.number();
    if constexpr (std::is_floating_point_v<T>) return static_cast<T>(std::stold(text));
    else return integer(in, text);
  }
  // Reads the exact value; fails where the type cannot hold it.
  static T integer(Reader& in, const std::string& text) {
    const bool negative = text[0] == '-';
    std::string digits = text.substr(negative);
    // 5.0 and 1e3 are integers as well.
    if (digits.find_first_not_of("0123456789") != std::string::npos) {
      const long double value = std::stold(digits);
      if (value != std::floor(value) || value > 9e18L) in.fail("an integer, found " + text);
      digits = std::to_string(static_cast<unsigned long long>(value));
    }
    T value = 0;
    for (const char digit : digits) {
      if (__builtin_mul_overflow(value, 10, &value) ||
          (negative ? __builtin_sub_overflow(value, digit - '0', &value)
                    : __builtin_add_overflow(value, digit - '0', &value)))
        in.fail("an integer that the function's type can hold, found " + text);
    }
    return value;
  }
  static void write(std::ostream& out, T value) {
    if constexpr (std::is_floating_point_v<T>) out << std::setprecision(17) << value;
    else if constexpr (sizeof(T) <= sizeof(long long)) out << +value;
    else wide(out, value);
  }
  // The standard library does not print 128 bits.
  static void wide(std::ostream& out, T value) {
    const bool negative = value < 0;
    std::string digits;
    do {
      const int digit = static_cast<int>(value % 10);
      digits += static_cast<char>('0' + (digit < 0 ? -digit : digit));
    } while ((value /= 10) != 0);
    if (negative) digits += '-';
    std::reverse(digits.begin(), digits.end());
    out << digits;
  }
};

template <class List> struct JsonList {
  static List read(Reader& in) {
    List list;
    in.expect('[');
    while (in.peek() != ']') {
      list.insert(list.end(), Json<typename List::value_type>::read(in));
      if (!in.take(',')) break;
    }
    in.expect(']');
    return list;
  }
  static void write(std::ostream& out, const List& list) {
    const char* before = "[";
    for (const auto& each : list) {
      out << std::exchange(before, ",");
      Json<typename List::value_type>::write(out, each);
    }
    out << (*before == '[' ? "[]" : "]");
  }
};
template <class T> struct Json<std::vector<T>> : JsonList<std::vector<T>> {};
template <class T> struct Json<std::deque<T>> : JsonList<std::deque<T>> {};
template <class T> struct Json<std::list<T>> : JsonList<std::list<T>> {};
template <class T> struct Json<std::set<T>> : JsonList<std::set<T>> {};
template <class T> struct Json<std::multiset<T>> : JsonList<std::multiset<T>> {};
template <class T> struct Json<std::unordered_set<T>> : JsonList<std::unordered_set<T>> {};

template <class A, class B> struct Json<std::pair<A, B>> {
  static std::pair<A, B> read(Reader& in) {
    in.expect('[');
    A first = Json<A>::read(in);
    in.expect(',');
    B second = Json<B>::read(in);
    in.expect(']');
    return {std::move(first), std::move(second)};
  }
  static void write(std::ostream& out, const std::pair<A, B>& value) {
    out << '[';
    Json<A>::write(out, value.first);
    out << ',';
    Json<B>::write(out, value.second);
    out << ']';
  }
};

template <class Map> struct JsonMap {
  static Map read(Reader& in) {
    Map map;
    in.expect('{');
    while (in.peek() != '}') {
      std::string key = in.quoted();
      in.expect(':');
      map[key] = Json<typename Map::mapped_type>::read(in);
      if (!in.take(',')) break;
    }
    in.expect('}');
    return map;
  }
  static void write(std::ostream& out, const Map& map) {
    const char* before = "{";
    for (const auto& [key, value] : map) {
      out << std::exchange(before, ",");
      Json<std::string>::write(out, key);
      out << ':';
      Json<typename Map::mapped_type>::write(out, value);
    }
    out << (*before == '{' ? "{}" : "}");
  }
};
template <class T> struct Json<std::map<std::string, T>> : JsonMap<std::map<std::string, T>> {};
template <class T> struct Json<std::unordered_map<std::string, T>> : JsonMap<std::unordered_map<std::string, T>> {};

inline Reader arguments() {
  Reader in{std::string(std::istreambuf_iterator<char>(std::cin), {})};
  in.expect('{');
  in.quoted();
  in.expect(':');
  in.expect('[');
  return in;
}

template <class T> T argument(Reader& in, bool first) {
  if (!first) in.expect(',');
  return Json<T>::read(in);
}

inline void send(const std::string& text) {
  for (std::size_t sent = 0; sent < text.size();) {
    const ssize_t count = ::write(3, text.data() + sent, text.size() - sent);
    if (count <= 0) std::_Exit(3);
    sent += static_cast<std::size_t>(count);
  }
}

// Braces instead of parentheses: they guarantee that the arguments are read in order.
template <class R, class... A, class Call> void run(Call call) {
  Reader in = arguments();
  bool first = true;
  std::tuple<std::decay_t<A>...> values{argument<std::decay_t<A>>(in, std::exchange(first, false))...};
  in.expect(']');
  std::ostringstream out;
  if constexpr (std::is_void_v<R>) {
    std::apply(call, values);
    out << "null";
  } else {
    Json<std::decay_t<R>>::write(out, std::apply(call, values));
  }
  send(out.str());
}

template <class R, class... A> void answer(R (*function)(A...)) {
  run<R, A...>([function](auto&... values) -> R { return function(static_cast<A>(values)...); });
}
template <class S, class R, class... A> void answer(R (S::*method)(A...)) {
  run<R, A...>([method](auto&... values) -> R {
    S solution;
    return (solution.*method)(static_cast<A>(values)...);
  });
}
template <class S, class R, class... A> void answer(R (S::*method)(A...) const) {
  run<R, A...>([method](auto&... values) -> R {
    S solution;
    return (solution.*method)(static_cast<A>(values)...);
  });
}

}  // namespace r1_call
