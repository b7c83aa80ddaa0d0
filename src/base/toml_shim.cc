/* SPDX-License-Identifier: Apache-2.0 */
/* The one C++ file of S3N: toml++'s tree becomes jansson's. */
#include "base/toml_shim.h"

/* toml++ asserts what bad input can break ("[=" does, in 3.3): that is an error, not a crash.  Its
 * mode without exceptions would end the process when memory runs out, so this is the other one. */
struct toml_assertion {
};
[[noreturn]] static void toml_assertion_failed()
{
    throw toml_assertion();
}
#define TOML_ASSERT(fact) ((fact) ? (void)0 : toml_assertion_failed())
#define TOML_EXCEPTIONS   1
#define TOML_HEADER_ONLY  1

#include <cmath>
#include <cstdio>
#include <sstream>
#include <string>
#include <string_view>
#include <toml++/toml.h>

namespace
{

struct problem_at {
    toml::source_region where;
    const char *text;
};

class converter
{
  public:
    converter(json_t *lines, unsigned depth_max) : lines_(lines), depth_max_(depth_max)
    {
    }

    /* NULL: `problem` says why. */
    json_t *convert(const toml::node &node, const std::string &path, unsigned depth);
    problem_at problem = {};

  private:
    json_t *fail(const toml::node &node, const char *text)
    {
        problem = { node.source(), text };
        return nullptr;
    }
    void note_line(const std::string &path, unsigned line)
    {
        if (json_object_get(lines_, path.c_str()) == nullptr)
            json_object_set_new(lines_, path.c_str(), json_integer(line));
    }
    /* Long paths stop growing: what lies below has the line of its parent. */
    static std::string extended(const std::string &path, const std::string &part)
    {
        return path.size() + part.size() < path_size_max_ ? path + part : path;
    }
    json_t *convert_table(const toml::table &table, const std::string &path, unsigned depth);
    json_t *convert_array(const toml::array &array, const std::string &path, unsigned depth);
    json_t *convert_string(const toml::node &node, const std::string &text);
    template <typename Date> json_t *convert_date(const toml::node &node)
    {
        std::ostringstream text;
        text << node.as<Date>()->get();
        return convert_string(node, text.str());
    }

    static constexpr size_t path_size_max_ = 500;
    json_t *lines_;
    unsigned depth_max_;
};

json_t *converter::convert_string(const toml::node &node, const std::string &text)
{
    if (text.find('\0') != std::string::npos)
        return fail(node, "NUL in a string");
    json_t *made = json_stringn(text.data(), text.size());
    return made != nullptr ? made : fail(node, "string is not UTF-8");
}

json_t *converter::convert_table(const toml::table &table, const std::string &path, unsigned depth)
{
    json_t *object = json_object();
    for (auto &&[key, value] : table) {
        std::string name(key.str());
        std::string inner = extended(path, path.empty() ? name : "." + name);
        note_line(inner, key.source().begin.line);
        json_t *converted = name.find('\0') != std::string::npos ? fail(value, "NUL in a key")
                                                                 : convert(value, inner, depth + 1);
        if (converted == nullptr || json_object_set_new(object, name.c_str(), converted) != 0) {
            json_decref(object);
            return nullptr;
        }
    }
    return object;
}

json_t *converter::convert_array(const toml::array &array, const std::string &path, unsigned depth)
{
    json_t *list = json_array();
    for (size_t i = 0; i < array.size(); i++) {
        std::string inner = extended(path, "[" + std::to_string(i) + "]");
        note_line(inner, array[i].source().begin.line);
        json_t *converted = convert(array[i], inner, depth + 1);
        if (converted == nullptr || json_array_append_new(list, converted) != 0) {
            json_decref(list);
            return nullptr;
        }
    }
    return list;
}

json_t *converter::convert(const toml::node &node, const std::string &path, unsigned depth)
{
    if (depth > depth_max_)
        return fail(node, "nested too deeply");
    switch (node.type()) {
    case toml::node_type::table:
        return convert_table(*node.as_table(), path, depth);
    case toml::node_type::array:
        return convert_array(*node.as_array(), path, depth);
    case toml::node_type::string:
        return convert_string(node, node.as_string()->get());
    case toml::node_type::integer:
        return json_integer(node.as_integer()->get());
    case toml::node_type::floating_point:
        if (!std::isfinite(node.as_floating_point()->get()))
            return fail(node, "infinity and not-a-number are not allowed");
        return json_real(node.as_floating_point()->get());
    case toml::node_type::boolean:
        return json_boolean(node.as_boolean()->get());
    case toml::node_type::date:
        return convert_date<toml::date>(node);
    case toml::node_type::time:
        return convert_date<toml::time>(node);
    case toml::node_type::date_time:
        return convert_date<toml::date_time>(node);
    case toml::node_type::none:
        break;
    }
    return fail(node, "value of no known type");
}

void tell(toml_shim_problem *problem, const toml::source_region &where, std::string_view text)
{
    problem->line = where.begin.line == 0 ? 1 : where.begin.line;
    problem->column = where.begin.column == 0 ? 1 : where.begin.column;
    std::snprintf(problem->text, sizeof(problem->text), "%.*s", static_cast<int>(text.size()),
                  text.data());
}

bool convert(const toml::table &table, unsigned depth_max, json_t **root, json_t **lines,
             toml_shim_problem *problem)
{
    json_t *found_lines = json_object();
    converter conversion(found_lines, depth_max);
    json_t *made = conversion.convert(table, "", 0);
    if (made == nullptr) {
        json_decref(found_lines);
        if (conversion.problem.text != nullptr)
            tell(problem, conversion.problem.where, conversion.problem.text);
        return false;
    }
    *root = made;
    *lines = found_lines;
    return true;
}

} // namespace

bool toml_shim_parse(const char *text, size_t size, unsigned depth_max, json_t **root,
                     json_t **lines, struct toml_shim_problem *problem)
{
    *problem = {};
    try {
        return convert(toml::parse(std::string_view(text, size)), depth_max, root, lines, problem);
    } catch (const toml::parse_error &error) {
        tell(problem, error.source(), error.description());
    } catch (const toml_assertion &) {
        tell(problem, {}, "not TOML");
    } catch (...) {
        /* Only the allocator is left: problem->line stays 0. */
    }
    return false;
}
